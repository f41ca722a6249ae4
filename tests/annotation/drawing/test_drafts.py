"""Drafts on the disk: what is read is what was written, or nothing."""

import pytest

from cfcn_plugin.annotation.drawing.drafts import Draft, Drafts
from cfcn_plugin.masks import MaskError

DRAFT = Draft('7', b'runs\n', b'\nsteps')


@pytest.fixture
def drafts(tmp_path):
    return Drafts(tmp_path)


def test_draft_is_read_as_it_was_written_until_it_is_removed(drafts):
    assert drafts.read('a/b.jpg') is None
    drafts.write('a/b.jpg', DRAFT)
    assert drafts.read('a/b.jpg') == DRAFT
    assert drafts.names(['a/b.jpg', 'b.jpg']) == ['a/b.jpg']
    drafts.remove('a/b.jpg')
    drafts.remove('a/b.jpg')
    assert drafts.read('a/b.jpg') is None and drafts.names(['a/b.jpg']) == []


@pytest.mark.parametrize(
    'content',
    [
        b'',
        b'{',
        b'7\nruns',
        b'{"revision": "7", "runs": "4"}\nruns',
        b'{"runs": 4}\nruns',
        b'\xff\n',
    ],
)
def test_damaged_draft_is_no_draft(drafts, content):
    drafts.write('a.png', DRAFT)
    (drafts.folder / 'a.draft').write_bytes(content)
    assert drafts.read('a.png') is None


def test_draft_of_before_there_were_steps_is_read(drafts):
    drafts.write('a.png', DRAFT)
    (drafts.folder / 'a.draft').write_bytes(b'{"revision": "7"}\nruns')
    assert drafts.read('a.png') == Draft('7', b'runs', b'')


def test_folder_goes_with_the_last_draft(drafts):
    drafts.close()
    drafts.write('a/b.jpg', DRAFT)
    drafts.close()
    assert drafts.names(['a/b.jpg']) == ['a/b.jpg']
    drafts.remove('a/b.jpg')
    drafts.close()
    assert not drafts.folder.exists()


def test_draft_outside_of_the_folder_is_refused(drafts):
    with pytest.raises(MaskError, match='a.draft'):
        drafts.write('../../a.jpg', DRAFT)
