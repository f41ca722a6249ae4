"""From the publisher's layout to a trained epoch, for each data set of the paper."""

import json
import tarfile
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from urllib.error import URLError

import pytest
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmpretrain.registry import DATASETS

from cfcn_plugin.data.public.bike_helmets import list_bike_helmets

CONFIGS = Path(__file__).parents[2] / 'configs'
# small enough for a test, and nothing else
SMALL = [
    'train_dataloader.num_workers=0',
    'val_dataloader.num_workers=0',
    'train_dataloader.batch_size=4',
    'randomness.seed=0',
    'train_cfg.max_epochs=1',
    'train_cfg.val_interval=1',
    'default_hooks.logger.interval=1',
]


@pytest.mark.parametrize(
    'error',
    [URLError('no name'), RuntimeError('Error downloading train-images')],
    ids=repr,
)
def test_download_that_fails_says_where_files_go(tmp_path, monkeypatch, capsys, error):
    monkeypatch.syspath_prepend(CONFIGS.parent / 'tools')
    import get_data

    def fail(root, source):
        raise error

    monkeypatch.setitem(get_data.GETTERS, 'pets', fail)
    monkeypatch.setattr('sys.argv', ['get_data.py', 'pets', '--root', str(tmp_path)])
    with pytest.raises(SystemExit, match=r'could not be downloaded .*docs/data\.md'):
        get_data.main()


def test_tied_pets_without_pets_says_how_to_get_pets(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(CONFIGS.parent / 'tools')
    import get_data

    monkeypatch.setattr(
        'sys.argv', ['get_data.py', 'tied-pets', '--root', str(tmp_path)]
    )
    with pytest.raises(SystemExit, match='oxford-iiit-pet.*get_data.py pets'):
        get_data.main()


@pytest.fixture(scope='module')
def get(run_tool, tmp_path_factory):
    """A data set made of its published files, in a new root."""

    def get(name, source):
        root = tmp_path_factory.mktemp('data')
        run_tool('get_data.py', name, '--source', source, '--root', root)
        return root

    return get


@pytest.fixture(scope='module')
def brain_mri(get, brain_mri_source):
    return get('brain-mri', brain_mri_source)


@pytest.fixture(scope='module')
def lgg_mri(get, lgg_source):
    return get('lgg-mri', lgg_source)


@pytest.fixture(scope='module')
def idrid(get, idrid_source):
    return get('idrid', idrid_source)


@pytest.fixture
def aeroplane_cow(run_tool, voc_root):
    root = voc_root.parents[1]
    run_tool('get_data.py', 'aeroplane-cow', '--root', root)
    return root


@pytest.fixture(scope='module')
def mnist(get, mnist_source):
    return get('mnist', mnist_source)


@pytest.fixture
def bike_helmets(helmets_root):
    return list_bike_helmets(helmets_root, test=4).parent


@pytest.fixture
def waterbirds(run_tool, waterbirds_source):
    run_tool('get_data.py', 'waterbirds', '--root', waterbirds_source)
    return waterbirds_source


def train(run_tool, config, data, work_dir, filters):
    """First and last line of the log of one epoch with few filters a layer."""
    run_tool(
        'train.py',
        CONFIGS / config,
        '--work-dir',
        work_dir,
        '--cfg-options',
        *SMALL,
        f'model.backbone.filters={[2] * filters}'.replace(' ', ''),
        data=data,
    )
    (log,) = Path(work_dir).glob('*/vis_data/scalars.json')
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    return lines[0], lines[-1]


# CFCN-F, whose linear layer fits one size of images alone; the other systems once
@pytest.mark.parametrize(
    'data,config,filters',
    [
        ('brain_mri', 'cfcn-f_cfcnnet_1xb32-150e_brain-mri', 6),
        ('brain_mri', 'cfcn-c_cfcnnet_1xb32-150e_brain-mri', 6),
        ('brain_mri', 'cnn_cfcnnet_1xb32-150e_brain-mri', 6),
        ('brain_mri', 'gain_cfcnnet_1xb32-150e_brain-mri', 6),
        ('lgg_mri', 'cfcn-f_cfcnnet_1xb32-150e_lgg-mri', 6),
        ('idrid', 'cfcn-f_cfcnnet_1xb5-200e_idrid', 6),
        ('idrid', 'cfcn-c_cfcnnet_1xb5-200e_idrid', 6),
        ('idrid', 'cnn_cfcnnet_1xb5-200e_idrid', 6),
        ('idrid', 'gain_cfcnnet_1xb5-200e_idrid', 6),
        ('aeroplane_cow', 'cfcn-f_cfcnnet_1xb16-200e_aeroplane-cow', 5),
        ('mnist', 'cfcn-f_cfcnnet_1xb64-10e_mnist', 5),
        ('bike_helmets', 'cfcn-f_cfcnnet_1xb16-200e_bike-helmets', 5),
        ('pets_root', 'cfcn-f_cfcnnet_1xb64-500e_pets-species', 8),
    ],
)
def test_systems_train_on_what_the_publisher_gives(
    run_tool, request, tmp_path, data, config, filters
):
    first, last = train(
        run_tool, f'{config}.py', request.getfixturevalue(data), tmp_path, filters
    )
    term = {'cfcn': 'loss_focus', 'gain': 'loss_gain_mask', 'cnn': None}[
        config.partition('_')[0].partition('-')[0]
    ]
    assert [key for key in ('loss_focus', 'loss_gain_mask') if key in first] == (
        [term] if term else []
    )
    if term:
        assert first['guided_fraction'] > 0 and first[term] > 0
    assert last['focus/guided'] > 0
    assert any(key.startswith('auroc/') for key in last)


def test_aeroplane_cow_is_guided_in_part_by_segments_and_as_a_whole_by_boxes(
    aeroplane_cow, monkeypatch
):
    monkeypatch.setenv('CFCN_DATA', str(aeroplane_cow))
    for use, guided in (('segmentation', [0, 0, 1, 1]), ('bbox', [1, 1, 1, 1])):
        cfg = Config.fromfile(CONFIGS / 'cfcn-c_cfcnnet_1xb16-200e_aeroplane-cow.py')
        cfg.merge_from_dict(
            {'train_dataloader.dataset.pipeline.1.source.use': use}
        )  # docs/data.md
        with DefaultScope.overwrite_default_scope('mmpretrain'):
            data = DATASETS.build(cfg.train_dataloader.dataset)
        assert [one['data_samples'].guided for one in data] == guided


def test_waterbirds_table_is_what_its_config_reads(waterbirds, monkeypatch):
    monkeypatch.setenv('CFCN_DATA', str(waterbirds))
    cfg = Config.fromfile(CONFIGS / 'cfcn-c_efficientnet-lite0_waterbirds.py')
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        data = DATASETS.build(cfg.test_dataloader.dataset)
    sample = data[0]['data_samples']
    assert sample.group == 'landbird-land' and sample.activation_mask.any()


# ---- the command itself --------------------------------------------------------


def test_what_is_not_fetched_says_what_to_get_and_how_to_go_on(run_tool, tmp_path):
    with pytest.raises(SystemExit, match='figshare.*get_data.py brain-mri --so'):
        run_tool('get_data.py', 'brain-mri', '--root', tmp_path)


@pytest.mark.parametrize(
    'name,message',
    [
        ('bike-helmets', "andrewmvd/helmet-detection to '.*bike_helmets'"),
        ('waterbirds', "metadata.csv to '.*waterbirds100', and CUB"),
    ],
)
def test_what_has_its_place_says_where(run_tool, tmp_path, name, message):
    with pytest.raises(SystemExit, match=message):
        run_tool('get_data.py', name, '--root', tmp_path)


def test_source_that_is_no_folder_is_named(run_tool, tmp_path):
    with pytest.raises(SystemExit, match="'.*none' is no folder"):
        run_tool(
            'get_data.py',
            'brain-mri',
            '--root',
            tmp_path,
            '--source',
            tmp_path / 'none',
        )


def test_source_is_refused_where_it_means_nothing(run_tool, tmp_path, capsys):
    with pytest.raises(SystemExit):
        run_tool('get_data.py', 'pets', '--root', tmp_path, '--source', tmp_path)
    assert 'not for pets' in capsys.readouterr().err


@pytest.mark.parametrize('name', ['../out', '/tmp/out', 'link/out'])
def test_archives_are_unpacked_inside_their_folder_only(
    run_tool, tmp_path, monkeypatch, name
):
    from torchvision.datasets.utils import extract_archive

    archive, root = tmp_path / 'pets.tar.gz', tmp_path / 'data'
    with tarfile.open(archive, 'w:gz') as target:
        if name.startswith('link'):
            link = tarfile.TarInfo('link')
            link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path)
            target.addfile(link)
        file = tarfile.TarInfo(name)
        file.size = 4
        target.addfile(file, BytesIO(b'evil'))
    monkeypatch.setattr(tarfile.TarFile, 'extraction_filter', None, raising=False)
    # torchvision checks the sums of what it fetches; here its unpacking is asked alone
    monkeypatch.setattr(
        'torchvision.datasets.OxfordIIITPet',
        lambda root, **_: extract_archive(str(archive), root),
    )
    with suppress(tarfile.FilterError):  # what is absolute is made relative instead
        run_tool('get_data.py', 'pets', '--root', root)
    assert not (tmp_path / 'out').exists() and not Path('/tmp/out').exists()


def test_data_that_exists_ends_the_tool_with_one_line(run_tool, tmp_path):
    (tmp_path / 'textured-digits').mkdir()
    with pytest.raises(SystemExit, match='exists and is not overwritten'):
        run_tool('get_data.py', 'textured-digits', '--root', tmp_path)
