"""Waterbirds: metadata.csv and CUB's boxes in one table."""

import pytest

from cfcn_plugin.data.public.waterbirds import list_waterbirds


def run(source):
    return list_waterbirds(source / 'waterbirds100', source / 'CUB_200_2011')


def test_every_line_has_names_for_numbers_and_cubs_box(waterbirds_source):
    lines = (run(waterbirds_source) / 'labels.csv').read_text().split()
    assert lines[0] == 'filename,label,split,place,x0,y0,x1,y1'
    box = '15.0,10.0,45.0,20.0'
    assert lines[1] == f'001.Bird/Bird_0001.jpg,waterbird,train,water,{box}'
    assert lines[4] == f'004.Bird/Bird_0004.jpg,landbird,val,land,{box}'
    assert lines[6] == f'006.Bird/Bird_0006.jpg,landbird,test,land,{box}'


@pytest.mark.parametrize(
    'file,old,new,message',
    [
        ('waterbirds100/metadata.csv', ',place,', ',ground,', r"\['place'\] missing"),
        ('waterbirds100/metadata.csv', ',1,0,1,', ',2,0,1,', "line 2: .* got .'2'"),
        (
            'waterbirds100/metadata.csv',
            '/Bird_0002',
            '/Bird_9999',
            'CUB has a box of, .*9999',
        ),
        ('CUB_200_2011/bounding_boxes.txt', '3 15.0', '3 wide', 'expected four finite'),
    ],
)
def test_files_that_are_not_as_published_are_refused(
    waterbirds_source, file, old, new, message
):
    text = (waterbirds_source / file).read_text()
    (waterbirds_source / file).write_text(text.replace(old, new, 1))
    with pytest.raises(ValueError, match=message):
        run(waterbirds_source)
    assert not (waterbirds_source / 'waterbirds100/labels.csv').exists()


def test_a_table_is_not_overwritten(waterbirds_source):
    run(waterbirds_source)
    with pytest.raises(FileExistsError, match='labels.csv'):
        run(waterbirds_source)
