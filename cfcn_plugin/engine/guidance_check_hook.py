"""Questions that are cheap to ask before training, and dear to find out after."""
from collections.abc import Iterator

from mmengine.hooks import Hook
from mmpretrain.engine import SwitchRecipeHook
from mmpretrain.registry import HOOKS

from cfcn_plugin.masks import image_key
from cfcn_plugin.masks.base import unknown
from cfcn_plugin.models.batch_augment import MaskedBatchAugment
from cfcn_plugin.transforms import LoadActivationMask, moves_pixels, type_name

from .unwrapped import unwrapped


@HOOKS.register_module()
class GuidanceCheckHook(Hook):
    """Check pipelines, mask sources, lists and class counts before a run.

    Pipelines and batch augments that a SwitchRecipeHook puts in place in a later epoch
    are checked, too.

    Args:
        sources: Whether to ask each mask source for masks without an image, which
            lists the data set's folders once.

    Raises:
        ValueError: A transform would move pictures without their masks; a batch
            augment of a later epoch can not take masks along; a mask or a line of a
            list belongs to no image; the model has another number of classes than
            the data.
    """
    priority = 'VERY_HIGH'

    def __init__(self, sources: bool = True):
        self.sources = sources

    def before_train(self, runner) -> None:
        self._check(runner, runner.train_dataloader.dataset)
        for hook in runner.hooks:
            if isinstance(hook, SwitchRecipeHook):
                for epoch, recipe in hook.schedule.items():
                    self._check_recipe(epoch, recipe)

    def before_val(self, runner) -> None:
        self._check_once(runner, 'val')

    def before_test(self, runner) -> None:
        self._check_once(runner, 'test')

    def _check_once(self, runner, split: str) -> None:
        dataset = getattr(runner, f'{split}_dataloader').dataset
        if not getattr(self, f'_{split}_checked', False):
            self._check(runner, dataset)
            setattr(self, f'_{split}_checked', True)

    def _check(self, runner, dataset) -> None:
        loads = []
        inner = list(_datasets(dataset))
        for one in inner:
            transforms = list(one.pipeline.transforms)
            for load in transforms:
                if isinstance(load, LoadActivationMask):
                    loads.append(load)
                    self._check_pipeline(transforms[transforms.index(load):])
            self._check_classes(runner.model, one)
        for load in loads:
            if self.sources:
                load.source.check()
            if load.only is not None:
                self._check_list(inner, load)

    @staticmethod
    def _check_pipeline(transforms: list) -> None:
        for transform in transforms:
            if moves_pixels(transform):
                name = type_name(transform)
                raise ValueError(
                    f'{name} would move pictures and leave their masks: write '
                    f"dict(type='MaskAware', transform=dict(type='{name}', ...))")

    def _check_recipe(self, epoch: int, recipe: dict) -> None:
        transforms = list(getattr(recipe.get('train_pipeline'), 'transforms', ()))
        loads = [t for t in transforms if isinstance(t, LoadActivationMask)]
        try:
            if loads:
                self._check_pipeline(transforms[transforms.index(loads[0]):])
            if recipe.get('batch_augments') is not None:
                MaskedBatchAugment(recipe['batch_augments'])
        except ValueError as error:
            raise ValueError(
                f'the SwitchRecipeHook, for epoch {epoch}: {error}') from error

    @staticmethod
    def _check_list(datasets: list, load: LoadActivationMask) -> None:
        keys = {
            image_key({'sample_idx': i, **one.get_data_info(i)}, load.source.data_root)
            for one in datasets for i in range(len(one))
        }
        strangers = load.only - keys
        if strangers:
            raise unknown(strangers, 'lines', f"list '{load.only_file}'")

    @staticmethod
    def _check_classes(model, dataset) -> None:
        head = getattr(unwrapped(model), 'head', None)
        wanted = getattr(head, 'num_classes', None)
        classes = dataset.metainfo.get('classes')
        if None not in (wanted, classes) and wanted != len(classes):
            raise ValueError(
                f'the model has head.num_classes={wanted}, {type(dataset).__name__} '
                f'has {len(classes)} classes ({", ".join(classes[:4])} ...): make '
                'them equal')


def _datasets(dataset) -> Iterator:
    """The data sets inside wrappers, which keep one or several."""
    if hasattr(dataset, 'pipeline'):
        yield dataset
    for inner in getattr(dataset, 'datasets', [getattr(dataset, 'dataset', None)]):
        if inner is not None:
            yield from _datasets(inner)
