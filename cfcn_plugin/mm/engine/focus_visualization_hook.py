"""Sheets of images, masks and guided maps during training."""

from mmengine.dist import master_only
from mmengine.hooks import Hook

from cfcn_plugin.mm.random_state import random_state, set_random_state
from cfcn_plugin.options import check_whole
from cfcn_plugin.stock import GOES

from .unwrap_model import unwrap_model


class FocusVisualizationHook(Hook):
    """Log a sheet of images, masks and trained maps every few epochs.

    The sheet goes to all backends of the runner's visualizer under the name ``focus``:
    ``vis_data/vis_image`` of the work dir, TensorBoard, and so on. All sheets have the
    same images of the validation split, or of the training split in a run without
    validation. The hook does not change training: random states are restored, and a
    sheet that cannot be drawn is a warning in the log.

    Args:
        interval: Epochs between two sheets, >= 1.
        images: Number of images, >= 1.
    """

    stock = GOES
    priority = 'LOW'  # after the optimiser's step

    def __init__(self, interval: int = 1, images: int = 4):
        check_whole('interval', interval, least=1)
        check_whole('images', images, least=1)
        self.interval = interval
        self.images = images
        self._panels = []

    def before_train(self, runner) -> None:
        model = unwrap_model(runner.model)
        if not hasattr(model, 'feature_hook'):
            raise TypeError(
                f'{type(model).__name__} has no feature hook for its map: '
                'FocusVisualizationHook needs a guided type (also with guidance=None)'
            )

    @master_only
    def after_train_epoch(self, runner) -> None:
        if not self.every_n_epochs(runner, self.interval):
            return
        try:
            self._log_sheet(runner)
        except Exception as error:  # the epoch's checkpoint comes after this hook
            runner.logger.warning(
                f'FocusVisualizationHook drew no sheet of epoch {runner.epoch + 1}: '
                f'{type(error).__name__}: {error}',
                exc_info=error,
            )

    def _log_sheet(self, runner) -> None:
        # import matplotlib only when a sheet is drawn
        from cfcn_plugin.mm.visualization.gallery import (
            class_names,
            predict_saliency,
            select_images,
        )
        from cfcn_plugin.visualization.heatmaps import heatmap_sheet, render_figure

        model = unwrap_model(runner.model)
        device = next(model.parameters()).device
        state = random_state(device)
        try:
            loader = (
                runner.train_dataloader
                if runner.val_loop is None
                else runner.val_dataloader
            )
            self._panels = self._panels or select_images(loader.dataset, self.images)
            maps = predict_saliency(model, self._panels)
        finally:
            set_random_state(state, device)
        sheet = heatmap_sheet(
            self._panels,
            {f'epoch {runner.epoch + 1}': maps},
            class_names(model, loader.dataset.metainfo),
        )
        runner.visualizer.add_image(
            'focus', render_figure(sheet), step=runner.epoch + 1
        )
