"""Repairing the checkpoint of a config's model with the config's masks."""

import copy
import sys
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmpretrain.models.heads import MultiLabelClsHead
from rich.progress import track
from torch import Tensor, nn
from torch.utils.data import DataLoader, Subset

from cfcn_plugin.guidance import MaskBatch
from cfcn_plugin.repair import RepairReport, repair

from .annotation_files import build_dataset
from .config.replace_masks import LOAD_MASK, replace_masks
from .datasets.guided_sampler import guided_images
from .datasets.wrappers import dataset_configs
from .engine.check_classes import check_class_count, check_labels
from .evaluation.correctness import labels_of
from .export import free_path
from .plain_pipeline import plain_test_pipeline
from .trained_model import load_trained

SHOWN = 10  # names of classes in a message


def repair_checkpoint(
    cfg: Config,
    checkpoint: str | Path,
    out: str | Path | None = None,
    batch_size: int = 64,
    workers: int = 0,
    device: str = 'cpu',
    amp: bool = False,
    **options,
) -> RepairReport:
    """Repair a checkpoint with the masks of the training images.

    Images go through the test pipeline, with the masks of the training pipeline.

    Args:
        cfg: A guided config, of the model that the checkpoint is of. The checkpoint
            may be of the stock model: keys are the same.
        checkpoint: The trained checkpoint.
        out: The new checkpoint, with weights and class names only. None: report only.
        batch_size: Number of images in a batch; backgrounds come from the batch.
        workers: Number of processes that load images.
        device: The device of the network.
        amp: Whether the network runs in bfloat16 (autocast).
        **options: ``views``, ``strengths``, ``border``, ``seed`` and ``memory`` of
            :func:`cfcn_plugin.repair.repair`.

    Raises:
        FileExistsError: ``out`` exists.
        FileNotFoundError: The checkpoint does not exist.
        RuntimeError: The weights do not fit the model.
        ValueError: The config has no masks or no test pipeline, the classes of the
            data set are not those of the checkpoint, or see ``repair``.
    """
    if out is not None:
        out = free_path(out, '')
    dataset = _dataset(cfg)
    model = load_trained(cfg, checkpoint).to(device)
    check_class_count(model, dataset)
    check_labels((model._dataset_meta or {}).get('classes'), dataset)
    # once: a data set that repeats images would hold out what others have seen
    images = [
        dataset.get_data_info(i).get('sample_idx', i) for i in range(len(dataset))
    ]
    guided = guided_images(dataset)
    chosen = list({n: i for i, n in enumerate(images) if guided[i]}.values())
    if not chosen:
        raise ValueError(
            'no training image has a mask: give masks of a few images of each class'
        )
    several = isinstance(getattr(model, 'head', None), MultiLabelClsHead)
    _check_classes(dataset, chosen, several)
    generator = torch.Generator().manual_seed(options.get('seed', 0))
    loader = DataLoader(
        Subset(dataset, chosen),
        batch_size,
        shuffle=True,
        generator=generator,
        num_workers=workers,
        collate_fn=pseudo_collate,
    )
    with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=amp):
        report = repair(
            model,
            _Batches(model, loader, several),
            dry_run=out is None,
            **options,
            forward=lambda images: model(images, mode='tensor'),
        )
    if out is not None:
        meta = {'dataset_meta': model._dataset_meta} if model._dataset_meta else {}
        with out.open('xb') as file:
            torch.save(dict(state_dict=model.cpu().state_dict(), meta=meta), file)
    return report


def _check_classes(dataset, chosen: Sequence[int], several: bool) -> None:
    """Each class must have a guided image, as is told by the labels alone.

    Of several labels, each class must also have a guided image without it.
    """
    classes = dataset.metainfo.get('classes') or ()
    labels = [labels_of(dataset.get_data_info(i)['gt_label']) for i in chosen]
    found, always = frozenset().union(*labels), labels[0].intersection(*labels)
    without = [name for label, name in enumerate(classes) if label not in found]
    if without:
        raise ValueError(
            f'no training image of {len(without)} of {len(classes)} classes has a '
            f'mask: {_listed(without)}; the last layer is refitted on '
            'images with a mask alone, so give masks of a few images of each class'
        )
    if several and always:
        raise ValueError(
            'each training image with a mask has the classes '
            f'{_listed([classes[label] for label in always] if classes else always)}; '
            'give masks of a few images without them, too'
        )


def _listed(names: Collection) -> str:
    shown = ', '.join(map(str, sorted(names)[:SHOWN]))
    return shown + (' ...' if len(names) > SHOWN else '')


def _dataset(cfg: Config):
    """The training images, loaded as for a test, with their masks."""
    if not cfg.get('train_dataloader'):
        raise ValueError('the config needs a train_dataloader with masks')
    pipeline = plain_test_pipeline(cfg)
    config = copy.deepcopy(cfg.train_dataloader.dataset)
    for where, one in dataset_configs(config, 'train_dataloader.dataset'):
        if 'pipeline' not in one:
            continue
        load = [step for step in one['pipeline'] if step['type'] == LOAD_MASK]
        if len(load) != 1:
            raise ValueError(
                f'{where}.pipeline has {len(load)} {LOAD_MASK}, expected one: guide '
                'the config (`--guide FRAGMENT`, `guide_config`)'
            )
        one['pipeline'] = replace_masks(pipeline, load[0])
    return build_dataset(config)


class _Batches:
    """Images, targets and masks of a loader's batches."""

    def __init__(self, model: nn.Module, loader: DataLoader, several: bool):
        self.model = model
        self.loader = loader
        self.several = several

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor, MaskBatch]]:
        waiting = sys.stdout.isatty()
        for data in track(self.loader, 'images', disable=not waiting):
            data = self.model.data_preprocessor(data, False)
            yield data['inputs'], self._targets(data['data_samples']), data['masks']

    def _targets(self, samples: list) -> Tensor:
        labels = [sample.gt_label for sample in samples]
        if not self.several:
            return torch.cat(labels).cpu()
        targets = torch.zeros(len(labels), self.model.head.num_classes)
        for row, label in zip(targets, labels):
            row[label.cpu()] = 1
        return targets
