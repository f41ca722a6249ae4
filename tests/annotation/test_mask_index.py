"""The index of a folder of masks: written, read, cut by a kill, of other versions."""

import pytest

from cfcn_plugin.annotation.mask_index import IndexRow, read_index, write_index

ROWS = [
    IndexRow('a.jpg', 'a.png', 4, 6, 0.25, 0.0, ''),
    IndexRow(
        'b, "c"\n.jpg', '7/b.png', 40, 60, 1 / 3, 0.5, '3 7', 'outline=2 ellipse=1', 0.5
    ),
]
HEAD = 'image,mask,height,width,area,ignored,classes'


def test_what_is_written_is_read_with_its_types(tmp_path):
    write_index(tmp_path / 'index.csv', ROWS)
    assert read_index(tmp_path / 'index.csv') == ROWS
    write_index(tmp_path / 'index.csv', ROWS[:1])
    assert read_index(tmp_path / 'index.csv') == ROWS[:1]


@pytest.mark.parametrize('cut', ['b.jpg,b.png,4', 'b.jpg,b.png,4,6,0.5,0.0,,,1.0'])
def test_a_last_row_that_may_be_cut_is_left_out(tmp_path, cut):
    file = tmp_path / 'index.csv'
    write_index(file, ROWS[:1])
    with file.open('a') as stream:
        stream.write(cut)  # without the end of the line
    assert read_index(file) == ROWS[:1]


def test_an_index_from_before_outlines_is_read(tmp_path):
    file = tmp_path / 'index.csv'
    file.write_text(f'{HEAD}\na.jpg,a.png,4,6,0.25,0.0,\n')
    assert read_index(file) == ROWS[:1]


@pytest.mark.parametrize(
    'text, what',
    [
        ('', 'not enough values'),
        ('image,mask\na,b\n', 'expected the columns'),
        (f'{HEAD}\na.jpg,a.png,4,6,0.25,0.0,\na.jpg,a.png,four,6,0.25,0.0,\n', 'four'),
        (f'{HEAD}\na.jpg,a.png\na.jpg,a.png,4,6,0.25,0.0,\n', 'shorter'),
        (b'\xff', 'utf-8'),
    ],
)
def test_another_file_is_named_with_the_remedy(tmp_path, text, what):
    file = tmp_path / 'index.csv'
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ValueError, match=rf"index.csv' .*{what}.*: delete the file"):
        read_index(file)
