"""Download, generate or import a data set; docs/data.md has sources and licences."""

import argparse
import os
import shutil
import tarfile
from pathlib import Path
from urllib.error import URLError

import _one_line_errors


def get_aeroplane_cow(root: Path, source: Path | None) -> Path:
    """VOC 2012 by torchvision's downloader (about 2 GB), unless the folder exists."""
    from cfcn_plugin.data.public.aeroplane_cow import list_aeroplane_cow

    voc = root / 'VOCdevkit' / 'VOC2012'
    if not voc.is_dir():
        from torchvision.datasets import VOCDetection

        VOCDetection(str(root), year='2012', image_set='trainval', download=True)
    return list_aeroplane_cow(voc)


def get_bike_helmets(root: Path, source: Path | None) -> Path:
    from cfcn_plugin.data.public.bike_helmets import list_bike_helmets

    folder = root / 'bike_helmets'
    if not folder.is_dir():
        raise SystemExit(
            "bike-helmets is not fetched. Unpack Kaggle's "
            f"andrewmvd/helmet-detection to '{folder}', so that it holds "
            "'images' and 'annotations', then run this again"
        )
    return list_bike_helmets(folder)


def get_brain_mri(root: Path, source: Path | None) -> Path:
    from cfcn_plugin.data.public.brain_mri import export_brain_mri

    return export_brain_mri(_published('brain-mri', source), root / 'brain_mri_cheng')


def get_idrid(root: Path, source: Path | None) -> Path:
    from cfcn_plugin.data.public.idrid import export_idrid

    return export_idrid(_published('idrid', source), root / 'idrid')


def get_lgg_mri(root: Path, source: Path | None) -> Path:
    from cfcn_plugin.data.public.lgg_mri import export_lgg_mri

    return export_lgg_mri(_published('lgg-mri', source), root / 'lgg_mri')


def get_mnist(root: Path, source: Path | None) -> Path:
    """MNIST from a folder, or by torchvision's downloader (about 12 MB)."""
    from cfcn_plugin.data.public.mnist import export_mnist

    if source is None:
        from torchvision.datasets import MNIST

        source = Path(MNIST(str(root / 'mnist-published'), download=True).raw_folder)
    return export_mnist(source, root / 'mnist')


def get_textured_digits(root: Path, source: Path | None) -> Path:
    from cfcn_plugin.data.public.textured_digits import write_textured_digits

    return write_textured_digits(root / 'textured-digits')


def get_tied_pets(root: Path, source: Path | None) -> Path:
    """From Pets of --source, or of the root."""
    from cfcn_plugin.data.public.tied_pets import write_tied_pets

    source = source or root / 'oxford-iiit-pet'
    if not source.is_dir():
        raise SystemExit(
            f"tied-pets is made of Oxford-IIIT Pets, which is not in '{source}': run "
            '`python tools/get_data.py pets` first, or give its folder by --source'
        )
    return write_tied_pets(root / 'tied-pets', source)


def get_pets(root: Path, source: Path | None) -> Path:
    """Oxford-IIIT Pets by torchvision's downloader (about 800 MB)."""
    from torchvision.datasets import OxfordIIITPet

    OxfordIIITPet(str(root), target_types='segmentation', download=True)
    for archive in (root / 'oxford-iiit-pet').glob('*.tar.gz'):
        print(f'{archive} may be deleted')
    return root / 'oxford-iiit-pet'


def get_waterbirds(root: Path, source: Path | None) -> Path:
    from cfcn_plugin.data.public.waterbirds import list_waterbirds

    folder, cub = root / 'waterbirds100', root / 'CUB_200_2011'
    if not (folder / 'metadata.csv').is_file() or not cub.is_dir():
        raise SystemExit(
            'Waterbirds is not fetched: its birds (CUB-200-2011, Caltech) are for '
            'non-commercial research and its backgrounds (Places) for academic use. '
            f"Put the folder with metadata.csv to '{folder}', and CUB-200-2011, with "
            f"the boxes, to '{cub}', then run this again (docs/data.md)"
        )
    return list_waterbirds(folder, cub)


def _published(name: str, source: Path | None) -> Path:
    """The folder with the publisher's files, which the user must download."""
    what = PUBLISHED[name]
    if source is None:
        raise SystemExit(
            f'{name} is not fetched. Get {what}, read its licence (docs/data.md), then '
            f'run `python tools/get_data.py {name} --source FOLDER`'
        )
    if not source.is_dir():
        raise SystemExit(f"--source '{source}' is no folder: expected {what}")
    return source


PUBLISHED = {
    'brain-mri': 'the four archives brainTumorDataPublic_*.zip of figshare 1512427, '
    'unpacked',
    'idrid': "the folder 'A. Segmentation' of IDRiD, IEEE DataPort doi 10.21227/H25W98",
    'lgg-mri': "the folder kaggle_3m of Kaggle's mateuszbuda/lgg-mri-segmentation",
}
GETTERS = {
    'aeroplane-cow': get_aeroplane_cow,
    'bike-helmets': get_bike_helmets,
    'brain-mri': get_brain_mri,
    'idrid': get_idrid,
    'lgg-mri': get_lgg_mri,
    'mnist': get_mnist,
    'pets': get_pets,
    'textured-digits': get_textured_digits,
    'tied-pets': get_tied_pets,
    'waterbirds': get_waterbirds,
}
TAKE_SOURCE = (*PUBLISHED, 'mnist', 'tied-pets')


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    _one_line_errors.add_argument(parser)
    parser.add_argument('name', choices=sorted(GETTERS))
    parser.add_argument(
        '--root',
        type=Path,
        default=Path(os.environ.get('CFCN_DATA', 'data')),
        help='folder of all data sets (default: $CFCN_DATA, else data)',
    )
    parser.add_argument(
        '--source',
        type=Path,
        help='folder with the files as published, for ' + ', '.join(TAKE_SOURCE),
    )
    args = parser.parse_args()
    if args.source is not None and args.name not in TAKE_SOURCE:
        parser.error(f'--source is for {", ".join(TAKE_SOURCE)}, not for {args.name}')
    # extraction filter for torchvision: no paths, links or devices outside the folder
    # (the default from Python 3.14 on)
    if not hasattr(tarfile, 'data_filter'):
        parser.error(
            'this Python unpacks archives unsafely: update it to its latest '
            'release (3.10.12, 3.11.4 or newer)'
        )
    tarfile.TarFile.extraction_filter = staticmethod(tarfile.data_filter)
    args.root.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(args.root).free
    print(f'{args.name} goes to {args.root.absolute()} ({free >> 30} GB free)')
    try:
        print(f'done: {GETTERS[args.name](args.root, args.source)}')
    except FileExistsError as error:
        raise SystemExit(f'{args.name}: {error}') from error
    except (URLError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and 'downloading' not in str(error):
            raise  # not an error of torchvision
        raise SystemExit(
            f'{args.name} could not be downloaded ({error}): without a network, put '
            'its files where docs/data.md shows them, and run this again'
        ) from error


if __name__ == '__main__':
    _one_line_errors.install()
    main()
