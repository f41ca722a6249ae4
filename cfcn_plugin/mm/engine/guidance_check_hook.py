"""Checks of pipelines, masks and classes before a run."""

from collections.abc import Iterator, Sequence

from mmengine.hooks import Hook
from mmpretrain.datasets import PackInputs
from mmpretrain.engine import SwitchRecipeHook

from cfcn_plugin.masks import image_key
from cfcn_plugin.masks.errors import unknown_keys_error
from cfcn_plugin.mm.datasets.wrappers import pipeline_datasets
from cfcn_plugin.mm.evaluation import BackgroundSwapMetric
from cfcn_plugin.mm.models.batch_augment import MaskedBatchAugment
from cfcn_plugin.mm.transforms import (
    LoadActivationMask,
    MaskAware,
    moves_pixels,
    type_name,
)
from cfcn_plugin.options import check_flag
from cfcn_plugin.stock import GOES

from .check_classes import check_class_count, check_labels
from .check_swap_metric import check_swap_metric
from .outline_count import OutlineCount, tell_refining
from .unwrap_model import unwrap_model

MASK_TRUE = (MaskAware, PackInputs)  # move image and mask, or only pack
WEIGHTS = ('pretrained', 'checkpoint_path', 'local_weights')  # of timm's models


class GuidanceCheckHook(Hook):
    """Check pipelines, mask sources, lists and class counts before a run.

    The hook also checks the pipelines and batch augments of SwitchRecipeHook, and
    whether validation images have the masks that a ``BackgroundSwapMetric`` needs: one
    with ``conditions``, or by whose harmonic accuracy checkpoints are chosen. A class
    must have the same label in validation and test as in training (for a test, as in
    the data set that the checkpoint names). If masks are refined, the first epoch ends
    with a count of how (:class:`.OutlineCount`).

    Args:
        sources: Whether to search each mask source for masks without an image, and for
            images without a mask if ``missing='error'`` and ``on_error='raise'``, and
            for broken entries of annotation files (:meth:`.MaskLoader.check`).
            The check lists the data set's folders once and decodes no file;
            ``tools/check_masks.py`` decodes all files.

    Raises:
        ValueError: A transform moves, or may move, images without their masks; a batch
            augment of a later epoch does not support masks; a mask or a line of a list
            belongs to no image; a guided image has no mask; model and data differ in
            the number of classes, or data sets in the labels of the same classes; a
            validation metric lacks masks.
    """

    stock = GOES
    priority = 'VERY_HIGH'

    def __init__(self, sources: bool = True):
        check_flag('sources', sources)
        self.sources = sources
        self._checked = set()
        self._outlines = None
        self._trained = None  # names of the classes

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        meta = (checkpoint.get('meta') or {}).get('dataset_meta') or {}
        self._trained = meta.get('classes')

    def before_train(self, runner) -> None:
        dataset = runner.train_dataloader.dataset
        self._check(runner, dataset)
        self._trained = getattr(dataset, 'metainfo', {}).get('classes')
        self._check_validation(runner)
        self._check_trained(runner)
        self._check_frozen(runner)
        for hook in runner.hooks:
            if isinstance(hook, SwitchRecipeHook):
                for epoch, recipe in hook.schedule.items():
                    self._check_recipe(epoch, recipe, list(pipeline_datasets(dataset)))
        loads = [
            load
            for one in pipeline_datasets(dataset)
            for load in one.pipeline.transforms
            if isinstance(load, LoadActivationMask) and load.refine is not None
        ]
        if loads:
            tell_refining(loads, runner.logger)
            self._outlines = OutlineCount()

    def after_train_iter(
        self, runner, batch_idx, data_batch=None, outputs=None
    ) -> None:
        if self._outlines is not None:
            self._outlines.add(data_batch)

    def after_train_epoch(self, runner) -> None:
        if self._outlines is not None:
            self._outlines.tell(runner.logger)
            self._outlines = None

    def before_val(self, runner) -> None:
        self._check_once(runner, 'val')

    def before_test(self, runner) -> None:
        self._check_once(runner, 'test')

    def _check_once(self, runner, split: str) -> None:
        if split not in self._checked:
            dataset = getattr(runner, f'{split}_dataloader').dataset
            self._check(runner, dataset)
            for one in pipeline_datasets(dataset):
                check_labels(self._trained, one)
            self._checked.add(split)

    def _check(self, runner, dataset) -> None:
        datasets = list(pipeline_datasets(dataset))
        for one in datasets:
            check_class_count(runner.model, one)
            self._check_pipeline(one.pipeline.transforms, [one], datasets)

    def _check_pipeline(
        self, transforms: Sequence, loaded: list, datasets: list
    ) -> None:
        """Check the masks, and the transforms after LoadActivationMask.

        Args:
            transforms: The transforms of the pipeline.
            loaded: The data sets of the pipeline.
            datasets: All data sets, for images in an image list.
        """
        loads = []
        for transform in transforms:
            if isinstance(transform, LoadActivationMask):
                loads.append(transform)
            elif loads and not isinstance(transform, MASK_TRUE):
                self._check_transform(transform)
        for load in loads:
            self._check_masks(load, loaded, datasets)

    def _check_masks(
        self, load: LoadActivationMask, loaded: list, datasets: list
    ) -> None:
        strangers = load.unknown_lines(_keys(datasets, load))
        if strangers:
            raise unknown_keys_error(
                strangers, 'lines', f"list '{load.image_list_file}'"
            )
        if not self.sources:
            return
        load.check(_keys(loaded, load))
        load.check_missing(_keys(loaded, load))

    def _check_validation(self, runner) -> None:
        loop = getattr(runner, 'val_loop', None)
        for one in () if loop is None else pipeline_datasets(loop.dataloader.dataset):
            check_class_count(runner.model, one)
            check_labels(self._trained, one)
        best = [  # of mmengine's CheckpointHook with `save_best`
            name
            for hook in runner.hooks
            for name in getattr(hook, 'key_indicators', ())
        ]
        for metric in getattr(getattr(loop, 'evaluator', None), 'metrics', ()):
            if isinstance(metric, BackgroundSwapMetric):
                check_swap_metric(metric, loop.dataloader.dataset, best)

    @staticmethod
    def _check_trained(runner) -> None:
        model = unwrap_model(runner.model)
        if getattr(model, 'guidance', None) is None:
            return
        maps = [layout.module for layout in model.feature_hook.layouts]
        frozen = not any(
            p.requires_grad for p in model.get_submodule(model.trained).parameters()
        )
        if frozen and not any(name.startswith('head.') for name in maps):
            runner.logger.warning(
                f'guidance acts on {maps}, and all of `{model.trained}` is frozen: '
                'guidance has no effect. Unfreeze a part, or guide a map of '
                'the head (CausalFocusHead)'
            )

    @staticmethod
    def _check_frozen(runner) -> None:
        tuning = getattr(unwrap_model(runner.model), 'fine_tuning', None)
        if tuning is None or tuning.frozen == 0 or runner._load_from or runner._resume:
            return
        if not _loads_weights(runner.cfg.model):
            runner.logger.warning(
                f'model.fine_tuning freezes {tuning.frozen:.0%} of the layers, and the '
                'config loads no pretrained weights, so the frozen layers stay random: '
                "give weights, model.backbone.init_cfg=dict(type='Pretrained', "
                "checkpoint=FILE, prefix='backbone.') or load_from=FILE, or set "
                'model.fine_tuning.frozen=0'
            )

    @staticmethod
    def _check_transform(transform) -> None:
        name, moves = type_name(transform), moves_pixels(transform)
        if moves:
            raise ValueError(
                f'{name} would move images without their masks: write '
                f"dict(type='MaskAware', transform=dict(type='{name}', ...))"
            )
        if moves is None:
            raise ValueError(
                f'{name} is unknown: it may move pixels, and a mask must move with its '
                "image. If it moves no pixel, write dict(type='MaskAware', "
                f"photometric=True, transform=dict(type='{name}', ...)) instead; "
                'otherwise use a transform that MaskAware supports'
            )

    def _check_recipe(self, epoch: int, recipe: dict, datasets: list) -> None:
        transforms = getattr(recipe.get('train_pipeline'), 'transforms', ())
        try:
            self._check_pipeline(transforms, datasets, datasets)
            if recipe.get('batch_augments') is not None:
                MaskedBatchAugment(recipe['batch_augments'])
        except ValueError as error:
            raise ValueError(
                f'the SwitchRecipeHook, for epoch {epoch}: {error}'
            ) from error


def _loads_weights(config) -> bool:
    """Whether a part of a model's config names weights to start from."""
    if isinstance(config, list | tuple):
        return any(map(_loads_weights, config))
    if not isinstance(config, dict):
        return False
    return (
        config.get('type') == 'Pretrained'
        or any(config.get(key) for key in WEIGHTS)
        or any(map(_loads_weights, config.values()))
    )


def _keys(datasets: list, load: LoadActivationMask) -> Iterator[str]:
    """Keys of all images."""
    for one in datasets:
        for i in range(len(one)):
            yield image_key(
                {'sample_idx': i, **one.get_data_info(i)}, load.source.data_root
            )
