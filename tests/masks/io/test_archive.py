"""One reader for zips and folders, which refuses malicious archives."""

import multiprocessing
import pickle
import warnings
import zipfile

import pytest

from cfcn_plugin.masks import MaskError
from cfcn_plugin.masks.io.archive import Archive

FILES = {'labels.txt': b'one', 'masks/a.png': b'A' * 5000, 'masks/deep/b.png': b'B'}


def make_zip(path, files=FILES, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, 'w', method) as target, warnings.catch_warnings():
        warnings.simplefilter('ignore')  # names that come twice
        for name, data in files if isinstance(files, list) else files.items():
            target.writestr(name, data)
    return path


def make_folder(path):
    for name, data in FILES.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


@pytest.fixture(params=['zip', 'folder'])
def archive(request, tmp_path):
    make = dict(zip=make_zip, folder=make_folder)[request.param]
    return Archive(make(tmp_path / 'a'))


def test_zip_and_folder_read_alike(archive):
    assert archive.names() == sorted(FILES)
    for name, data in FILES.items():
        assert archive.has(name) and archive.read(name) == data
    assert not archive.has('masks/c.png') and not archive.has('masks')


def test_file_that_is_larger_than_it_may_be_is_not_read(tmp_path):
    big = {'a.png': bytes(range(256)) * 8200}
    with pytest.raises(MaskError, match='^unpacks from .* to 2099200 bytes'):
        Archive(make_zip(tmp_path / 'a.zip', big)).read('a.png', most=2**21)
    assert Archive(tmp_path / 'a.zip').read('a.png', most=2**22) == big['a.png']


def test_zip_bomb_is_told_by_its_ratio(tmp_path):
    path = make_zip(tmp_path / 'a.zip', {'a.png': bytes(2**24)})
    with pytest.raises(MaskError, match='is it a zip bomb'):
        Archive(path).read('a.png', most=2**30)


def test_copy_for_a_worker_has_no_handle(archive):
    archive.names()
    copy = pickle.loads(pickle.dumps(archive))
    assert vars(copy) == vars(archive) and copy.read('labels.txt') == b'one'


def read_often(archive, queue):
    queue.put(all(archive.read(n) == FILES[n] for _ in range(50) for n in FILES))


def test_forked_workers_do_not_share_a_place_in_the_file(tmp_path):
    archive = Archive(make_zip(tmp_path / 'a.zip'))
    context = multiprocessing.get_context('fork')
    queue = context.Queue()
    workers = [
        context.Process(target=read_often, args=(archive, queue)) for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    assert [queue.get(timeout=1800) for _ in workers] == [True, True]
    for worker in workers:
        worker.join()


# ---- what is wrong ---------------------------------------------------------


@pytest.mark.parametrize(
    'name',
    ['../a.png', 'masks/../../a.png', '/etc/a.png', 'masks\\..\\a.png', 'C:/a.png'],
)
def test_name_that_leaves_the_archive_is_refused(tmp_path, name):
    path = make_zip(tmp_path / 'a.zip', {'fine.png': b'', name: b''})
    with pytest.raises(MaskError, match='leaves the archive: do not unpack') as caught:
        Archive(path)
    assert f"'{path}'" in str(caught.value)


def test_name_that_leaves_the_folder_is_refused(tmp_path):
    with pytest.raises(MaskError, match=r"has '\.\.'"):
        Archive(make_folder(tmp_path / 'a')).has('../b')


def test_encrypted_zip_is_refused(tmp_path):
    path = make_zip(tmp_path / 'a.zip', {'a.png': b'A'})
    data = bytearray(path.read_bytes())
    data[data.index(b'PK\x01\x02') + 8] |= 1  # the flag in the central directory
    path.write_bytes(data)
    with pytest.raises(MaskError, match="'a.png' is encrypted.*without a password"):
        Archive(path)


def test_name_that_comes_twice_is_refused(tmp_path):
    path = make_zip(tmp_path / 'a.zip', [('a.png', b'A'), ('a.png', b'B')])
    with pytest.raises(MaskError, match="file 'a.png' twice"):
        Archive(path)


@pytest.mark.parametrize(
    'damage',
    [
        lambda data: b'',
        lambda data: data[:50],
        lambda data: b'not a zip at all',
        # the version that a reader needs, in the directory at the end
        lambda data: data.replace(b'PK\1\2\x14\3\x14', b'PK\1\2\x14\3\xff'),
    ],
)
def test_file_that_is_no_zip_is_named(tmp_path, damage):
    path = make_zip(tmp_path / 'a.zip')
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(MaskError, match="a.zip' cannot be read as a zip.*is it whole"):
        Archive(path)


def test_damaged_file_of_a_zip_is_refused(tmp_path):
    path = make_zip(tmp_path / 'a.zip', method=zipfile.ZIP_STORED)
    data = path.read_bytes()
    path.write_bytes(data.replace(b'AAAA', b'AAAB', 1))
    archive = Archive(path)
    assert archive.read('labels.txt') == b'one'
    with pytest.raises(MaskError, match='^cannot be read .*CRC'):
        archive.read('masks/a.png')


def test_missing_archive_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='gone.zip.*a zip or the folder'):
        Archive(tmp_path / 'gone.zip')
