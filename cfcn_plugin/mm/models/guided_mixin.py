"""Guidance of a stock model of mmpretrain, by a :class:`Guide`."""

from collections.abc import Sequence

import torch
from mmpretrain.registry import MODELS
from mmpretrain.structures import label_to_onehot
from torch import Tensor, nn

from cfcn_plugin.features import Capture, FeatureHook
from cfcn_plugin.fine_tuning import FineTuning
from cfcn_plugin.guidance import Guidance, GuidanceBatch, Guide, MaskBatch
from cfcn_plugin.stock import name_of

from .data_preprocessor import GuidedDataPreprocessor


class GuidedMixin:
    """Adds guidance to the loss of a stock model.

    It adds no parameter and renames none: a checkpoint fits the stock model.

    Args:
        *args, **kwargs: The stock model's.
        guidance: Config of a :class:`Guidance`, or a list of them, whose terms are
            summed. None: the baseline.
        feature_hook: Config of a :class:`FeatureHook`. None: the last map.
        fine_tuning: Options of :class:`cfcn_plugin.fine_tuning.FineTuning` (``frozen``,
            ``norm_eval``, ``zero_head``) for a pretrained network. None: all of the
            network is trained, from the head's usual start.
        data_preprocessor: As in the stock model; its type is
            ``GuidedDataPreprocessor`` or a subclass.

    Attributes:
        guide: The :class:`Guide`.
        fine_tuning: The :class:`FineTuning`, or None.

    Raises:
        ValueError: The preprocessor is not a guided one; a hook target or a width
            is wrong.
    """

    scorer = 'head'  # the module whose output is the class scores
    trained = 'backbone'  # the module whose parameters guidance trains

    def __init__(
        self,
        *args,
        guidance: dict | Guidance | Sequence[dict | Guidance] | None = None,
        feature_hook: dict | FeatureHook | None = None,
        fine_tuning: dict | None = None,
        data_preprocessor: dict | nn.Module | None = None,
        **kwargs,
    ):
        super().__init__(
            *args, data_preprocessor=_guided_preprocessor(data_preprocessor), **kwargs
        )
        if not isinstance(feature_hook, FeatureHook):
            feature_hook = built(dict(type='FeatureHook') | (feature_hook or {}))
        self.guide = Guide(
            self,
            built(guidance),
            feature_hook,
            self._class_scores,
            self.get_submodule(self.trained),
        )
        scorer = self.get_submodule(self.scorer)
        self._scores = Capture(scorer)
        self.fine_tuning = (
            None
            if fine_tuning is None
            else FineTuning(self, body=self._body(), head=scorer, **fine_tuning)
        )

    def _body(self) -> nn.Module:
        body = self.get_submodule(self.trained)
        if isinstance(body, nn.Sequential):  # a retriever's backbone and neck
            body = body[0]
        return getattr(body, 'timm_model', body)  # whose layers timm knows

    def init_weights(self) -> None:
        super().init_weights()  # which also draws the head
        if self.fine_tuning is not None and self.fine_tuning.starts_at_zero:
            self.fine_tuning.zero_head()

    def train(self, mode: bool = True):
        super().train(mode)
        if self.fine_tuning is not None:
            self.fine_tuning.hold_statistics()
        return self

    @property
    def guidance(self) -> Guidance | None:
        """The guidance method, several in one; None: the baseline."""
        return self.guide.method

    @property
    def feature_hook(self) -> FeatureHook:
        return self.guide.feature_hook

    @property
    def maps_are_classes(self) -> bool:
        """Whether the guided map has one channel a class."""
        return self.feature_hook.names == ['auto'] and getattr(
            getattr(self, 'head', None), 'maps_are_classes', False
        )

    # ---- the stock model's interface, with masks ----------------------------

    def forward(
        self,
        inputs: Tensor,
        data_samples: list | None = None,
        mode: str = 'tensor',
        masks: MaskBatch | None = None,
    ):
        """As the stock model's, with the masks of ``GuidedDataPreprocessor``."""
        if mode == 'loss':
            return self.loss(inputs, data_samples, masks)
        return super().forward(inputs, data_samples, mode)

    # torch.compile leaves this frame alone and compiles what it calls
    @torch.compiler.disable(recursive=False)
    def loss(
        self, inputs: Tensor, data_samples: list, masks: MaskBatch | None = None
    ) -> dict[str, Tensor]:
        """The stock losses and the guidance's terms.

        Raises:
            ValueError: There are no masks to guide by.
        """
        if self.guidance is None:
            return super().loss(inputs, data_samples)
        if masks is None:
            raise ValueError(
                'guidance got no masks: the training pipeline needs '
                "`dict(type='LoadActivationMask', source=...)` after the image is "
                "loaded and `dict(type='PackGuidedInputs')` at its end"
            )
        step = self._guided_loss
        if self.guidance.differentiates:
            step = torch.compiler.disable(step)
        return step(inputs, data_samples, masks)

    # dynamo fails on its block of context managers
    @torch.compiler.disable(recursive=False)
    def _guided_loss(
        self, inputs: Tensor, data_samples: list, masks: MaskBatch
    ) -> dict[str, Tensor]:
        inputs = self.guide.prepare(inputs)
        with self.guide, self._scores:
            losses = super().loss(inputs, data_samples)
            scores, target = self._scores_and_target(data_samples)
        losses.update(self.guide.terms(inputs, scores, target, masks))
        # mmengine's own total is overwritten in the log by the head's `loss`
        losses['total'] = self.parse_losses(losses)[0].detach()
        losses['guided_fraction'] = masks.guided.float().mean()
        losses['cropped_out_fraction'] = masks.cropped_out
        if masks.mask_error is not None:
            losses['mask_error_fraction'] = masks.mask_error
        return losses

    @torch.compiler.disable(recursive=False)
    def predict_with_maps(
        self,
        inputs: Tensor,
        data_samples: list,
        masks: MaskBatch,
        forward: nn.Module | None = None,
    ) -> tuple[list, GuidanceBatch]:
        """The stock predictions, and the maps and masks of the same forward pass.

        For metrics of where the evidence lies; ``predict`` is the stock model's.

        Args:
            inputs, data_samples, masks: Of ``GuidedDataPreprocessor``.
            forward: What runs the model: this model, or a wrapper that shards it.
        """
        with self.guide, self._scores:
            predictions = (forward or self)(inputs, data_samples, mode='predict')
            scores, target = self._scores_and_target(data_samples)
        return predictions, self.guide.batch(inputs, scores, target, masks)

    # ---- class scores -------------------------------------------------------

    def _scores_and_target(self, data_samples: list) -> tuple[Tensor, Tensor]:
        scores = _one_score(self._scores.take().value('the class scores'))
        return scores, _target(data_samples, scores)

    def _class_scores(self, inputs: Tensor) -> Tensor:
        return _one_score(super().forward(inputs, mode='tensor'))


def built(given):
    """What a config says, or a list of configs; anything else as it is."""
    if isinstance(given, list | tuple):
        return [built(one) for one in given]
    if isinstance(given, dict) and 'methods' in given:  # a config of Combined
        given = dict(given, methods=built(given['methods']))
    return MODELS.build(given) if isinstance(given, dict) else given


def _guided_preprocessor(given: dict | nn.Module | None) -> dict | nn.Module:
    kind = type(given)
    if not isinstance(given, nn.Module):
        # with its scope: some stock models build it in mmengine's registry
        given = {'type': 'mmpretrain.GuidedDataPreprocessor', **(given or {})}
        kind = given['type']
    known = MODELS.get(kind) if isinstance(kind, str) else kind
    if known is None or not issubclass(known, GuidedDataPreprocessor):
        raise ValueError(
            f"the data preprocessor is '{name_of(kind)}', which leaves masks behind: "
            "write data_preprocessor=dict(type='GuidedDataPreprocessor', ...), same "
            'keys, or leave `type` out'
        )
    return given


def _one_score(scores: Tensor | tuple[Tensor, ...]) -> Tensor:
    """(B, C): Conformer's head scores twice, and predicts from the sum."""
    return scores if isinstance(scores, Tensor) else sum(scores)


def _target(data_samples: Sequence, scores: Tensor) -> Tensor:
    """(B,) labels, or (B, C) scores where an image has several or mixed ones."""
    if 'gt_score' in data_samples[0]:
        return torch.stack([s.gt_score for s in data_samples])
    if 'gt_label' not in data_samples[0]:
        raise ValueError(
            'focus is measured against the true class, and the data set '
            'gives no `gt_label`: leave LoadActivationMask out of the '
            'pipeline where labels are not known'
        )
    labels = [s.gt_label for s in data_samples]
    if all(len(label) == 1 for label in labels):
        return torch.cat(labels)
    return torch.stack([label_to_onehot(label, scores.shape[1]) for label in labels])
