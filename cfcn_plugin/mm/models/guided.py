"""Guidance joins a stock classifier here: its loss, and what it shows of its focus."""
from collections.abc import Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from mmpretrain.models import ImageClassifier, ImageToImageRetriever, TimmClassifier
from mmpretrain.registry import MODELS
from mmpretrain.structures import label_to_onehot
from torch import Tensor, nn

from cfcn_plugin.features import Capture, FeatureHook, armed
from cfcn_plugin.functional.localization import focus_of_maps
from cfcn_plugin.guidance import CausalFocusLoss, Combined, Guidance, GuidanceBatch
from cfcn_plugin.guidance.mask_batch import MaskBatch
from cfcn_plugin.stock import Stock

from .data_preprocessor import GuidedDataPreprocessor
from .in_channels import resolve_head

EXTRA_KEYS = ('guidance', 'feature_hook')  # which a stock model does not have


class GuidedMixin:
    """Adds guidance to the loss, and focus to the predictions, of a stock model.

    It adds no parameter and renames none: a checkpoint fits the stock model.

    Args:
        *args, **kwargs: The stock model's.
        guidance: Config of a :class:`Guidance`, or a list of them, whose terms are
            summed. None: the baseline, whose focus is measured all the same.
        feature_hook: Config of a :class:`FeatureHook`. None: the last map.
        data_preprocessor: As in the stock model; its type is
            ``GuidedDataPreprocessor`` or a subclass.

    Raises:
        ValueError: The preprocessor is not a guided one; a hook target or a width
            is wrong.
    """
    scorer = 'head'  # the module whose output is the class scores
    guidance_weight = 1.  # times all of guidance's terms; GuidanceWarmUpHook sets it

    def __init__(self,
                 *args,
                 guidance: dict | Guidance | Sequence[dict] | None = None,
                 feature_hook: dict | FeatureHook | None = None,
                 data_preprocessor: dict | nn.Module | None = None,
                 **kwargs):
        super().__init__(
            *args, data_preprocessor=_guided_preprocessor(data_preprocessor), **kwargs)
        if isinstance(guidance, dict):
            guidance = MODELS.build(guidance)
        elif isinstance(guidance, list | tuple):
            guidance = Combined([
                MODELS.build(m) if isinstance(m, dict) else m for m in guidance])
        if guidance is not None and any(True for _ in guidance.parameters()):
            raise ValueError(f'{type(guidance).__name__} has parameters of its own: '
                             'they would be in the checkpoint of the trained model')
        self.guidance = guidance
        if feature_hook is None or isinstance(feature_hook, dict):
            feature_hook = MODELS.build(dict(type='FeatureHook') | (feature_hook or {}))
        self.feature_hook = feature_hook.attach(self)
        self._scores = Capture(self.get_submodule(self.scorer))

    # ---- the stock model's interface, with masks ----------------------------

    def forward(self,
                inputs: Tensor,
                data_samples: list | None = None,
                mode: str = 'tensor',
                masks: MaskBatch | None = None):
        """As the stock model's, with the masks of ``GuidedDataPreprocessor``."""
        if mode == 'loss':
            return self.loss(inputs, data_samples, masks)
        if mode == 'predict':
            return self.predict(inputs, data_samples, masks=masks)
        return super().forward(inputs, data_samples, mode)

    # torch.compile leaves this frame alone and compiles what it calls
    @torch.compiler.disable(recursive=False)
    def loss(self,
             inputs: Tensor,
             data_samples: list,
             masks: MaskBatch | None = None) -> dict[str, Tensor]:
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
                "loaded and `dict(type='PackGuidedInputs')` at its end")
        step = self._guided_loss
        if self.guidance.differentiates:
            step = torch.compiler.disable(step)
        return step(inputs, data_samples, masks)

    # dynamo fails on its block of context managers
    @torch.compiler.disable(recursive=False)
    def _guided_loss(self, inputs: Tensor, data_samples: list,
                     masks: MaskBatch) -> dict[str, Tensor]:
        if self.guidance.needs_input_grad:
            inputs = inputs.requires_grad_()
        with self.feature_hook, armed([self._scores]), \
                _twice_differentiable(self.guidance.needs_input_grad):
            losses = super().loss(inputs, data_samples)
            seen = self._see(inputs, data_samples, masks)
        for key, term in self.guidance(seen).items():
            losses[key] = self.guidance_weight * term if 'loss' in key else term
        # mmengine's own total is overwritten in the log by the head's `loss`
        losses['total'] = self.parse_losses(losses)[0].detach()
        losses['guided_fraction'] = masks.guided.float().mean()
        losses['cropped_out_fraction'] = masks.cropped_out
        if masks.mask_error is not None:
            losses['mask_error_fraction'] = masks.mask_error
        return losses

    @torch.compiler.disable(recursive=False)
    def predict(self,
                inputs: Tensor,
                data_samples: list | None = None,
                masks: MaskBatch | None = None,
                **kwargs) -> list:
        """The stock predictions; where there is a mask, with ``focus``.

        ``focus`` is a dict of floats, see
        :func:`cfcn_plugin.functional.localization.focus_of_maps`.
        """
        if masks is None:
            return super().predict(inputs, data_samples, **kwargs)
        with self.feature_hook, armed([self._scores]):
            predictions = super().predict(inputs, data_samples, **kwargs)
            seen = self._see(inputs, data_samples, masks)
        ratio = 1 - self._measure().per_image(seen)
        values = focus_of_maps(seen, self.maps_are_classes)
        # one copy to the host for all
        names = ('ratio', *values)
        table = torch.stack([ratio.to(torch.float32), *values.values()], 1).tolist()
        guided = seen.guided.tolist()
        for sample, row, is_guided in zip(predictions, table, guided):
            if is_guided:
                sample.set_field(dict(zip(names, row)), 'focus')
            sample.set_field(is_guided, 'guided')
        return predictions

    def _measure(self) -> CausalFocusLoss:
        """The focus term as it is configured, alone or beside others."""
        for method in () if self.guidance is None else self.guidance.modules():
            if isinstance(method, CausalFocusLoss):
                return method
        return CausalFocusLoss(channels='target' if self.maps_are_classes else 'all')

    # ---- what guidance sees -------------------------------------------------

    @property
    def maps_are_classes(self) -> bool:
        """Whether the guided map has one channel a class."""
        head = getattr(self, 'head', None)
        return bool(getattr(head, 'maps_are_classes', False)
                    and self.feature_hook.names == ['auto'])

    def _see(self, inputs: Tensor, data_samples: list, masks: MaskBatch) -> GuidanceBatch:
        scores, target = self._scores_and_target(data_samples)
        activation = self.feature_hook.take(inputs, self._trainable)
        return GuidanceBatch(
            inputs=inputs,
            activation=activation,
            covers=self.feature_hook.covers(activation, inputs),
            cls_score=scores,
            mask=masks.mask,
            ignore=masks.ignore,
            guided=masks.guided,
            mask_classes=masks.classes,
            components=masks.components,
            target=target,
            classify=self._classify,
            features=self._features,
            gradients=self.feature_hook.gradients(inputs))

    def _scores_and_target(self, data_samples: list) -> tuple[Tensor, Tensor]:
        scores = _one_score(self._scores.raw)
        return scores, _target(data_samples, scores)

    trained = 'backbone'  # the module whose parameters guidance trains

    @property
    def _trainable(self) -> bool:
        return self.training and any(
            p.requires_grad for p in self.get_submodule(self.trained).parameters())

    def _classify(self, inputs: Tensor) -> Tensor:
        with armed([*self.feature_hook.captures, self._scores], on=False), \
                _untouched_statistics(self):
            return _one_score(self._class_scores(inputs))

    def _features(self, inputs: Tensor) -> tuple[Tensor, ...]:
        with self.feature_hook, armed([self._scores], on=False), \
                _untouched_statistics(self):
            self._class_scores(inputs)
            maps = self.feature_hook.take(inputs, self._trainable)
        return maps if isinstance(maps, tuple) else (maps, )

    def _class_scores(self, inputs: Tensor) -> Tensor | tuple[Tensor, ...]:
        return super().forward(inputs, mode='tensor')


class GuidedClassifier(GuidedMixin, ImageClassifier):
    """``ImageClassifier`` with guidance; see :class:`GuidedMixin`.

    A head whose ``in_channels`` is None or left out gets the backbone's width.
    """
    stock = Stock('ImageClassifier', extra_keys=EXTRA_KEYS)

    def __init__(self, backbone, neck=None, head=None, **kwargs):
        if not isinstance(backbone, nn.Module):
            backbone = MODELS.build(backbone)
        resolved = {}
        if isinstance(head, dict) and (neck is None or isinstance(neck, dict)):
            given = head
            head = resolve_head(given, backbone, neck)
            if head.get('in_channels') != given.get('in_channels'):
                resolved['head.in_channels'] = head['in_channels']
        super().__init__(backbone=backbone, neck=neck, head=head, **kwargs)
        self.resolved = resolved  # what the config left open, for its dump


class GuidedTimmClassifier(GuidedMixin, TimmClassifier):
    """``TimmClassifier`` with guidance; see :class:`GuidedMixin`."""
    stock = Stock('TimmClassifier', extra_keys=EXTRA_KEYS)
    scorer = 'model'
    trained = 'model'

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if getattr(self.model, 'num_classes', None) == 0:
            raise ValueError(
                f'this {type(self.model).__name__} has no classifier (an encoder, or '
                "num_classes=0): use it as backbone=dict(type='GuidedTIMMBackbone', "
                'model_name=...) of a GuidedClassifier')


class GuidedRetriever(GuidedMixin, ImageToImageRetriever):
    """``ImageToImageRetriever`` with guidance; see :class:`GuidedMixin`."""
    stock = Stock('ImageToImageRetriever', extra_keys=EXTRA_KEYS)
    trained = 'image_encoder'

    def _class_scores(self, inputs: Tensor) -> Tensor:
        # the stock forward gives an embedding; a margin head's scores are cosines here
        return self.head(self.extract_feat(inputs))

    def _scores_and_target(self, data_samples: list) -> tuple[Tensor, Tensor]:
        if self._scores.raw is not None:
            return super()._scores_and_target(data_samples)
        # predictions come from prototypes, not from the head, and a query's label may
        # name images and no class; focus over all maps asks for neither
        none = torch.zeros(len(data_samples), 1)
        return none, none[:, 0].long()


# Which guided type stands for which stock type
GUIDED_TYPES = {
    guided.stock.type: guided.__name__
    for guided in (GuidedClassifier, GuidedTimmClassifier, GuidedRetriever)
}


def _guided_preprocessor(given: dict | nn.Module | None) -> dict | nn.Module:
    wrong = None
    if isinstance(given, nn.Module):
        if not isinstance(given, GuidedDataPreprocessor):
            wrong = type(given).__name__
    else:
        given = dict(given or {})
        # with its scope: some stock models build it in mmengine's registry
        given.setdefault('type', 'mmpretrain.GuidedDataPreprocessor')
        kind = given['type']
        kind = MODELS.get(kind) if isinstance(kind, str) else kind
        if kind is None or not issubclass(kind, GuidedDataPreprocessor):
            wrong = given['type']
    if wrong is not None:
        raise ValueError(
            f"the data preprocessor is '{wrong}', which leaves masks behind: write "
            "data_preprocessor=dict(type='GuidedDataPreprocessor', ...), same keys, or "
            'leave `type` out')
    return given


def _one_score(scores: Tensor | tuple[Tensor, ...]) -> Tensor:
    """(B, C): Conformer's head scores twice, and predicts from the sum."""
    return scores if isinstance(scores, Tensor) else sum(scores)


def _target(data_samples: Sequence, scores: Tensor) -> Tensor:
    """(B,) labels, or (B, C) scores where an image has several or mixed ones."""
    if 'gt_score' in data_samples[0]:
        return torch.stack([s.gt_score for s in data_samples])
    if 'gt_label' not in data_samples[0]:
        raise ValueError('focus is measured against the true class, and the data set '
                         'gives no `gt_label`: leave LoadActivationMask out of the '
                         'pipeline where labels are not known')
    labels = [s.gt_label for s in data_samples]
    if all(len(label) == 1 for label in labels):
        return torch.cat(labels)
    return torch.stack([label_to_onehot(label, scores.shape[1]) for label in labels])


def _twice_differentiable(needed: bool) -> AbstractContextManager:
    """Attention by plain products, where needed: fused it has no second derivative."""
    if not needed:
        return nullcontext()
    from torch.nn.attention import SDPBackend, sdpa_kernel  # new, and needed here alone
    return sdpa_kernel(SDPBackend.MATH)


@contextmanager
def _untouched_statistics(model: nn.Module):
    """BatchNorm normalises by the batch, as in training, and remembers nothing."""
    norms = [
        m for m in model.modules()
        if isinstance(m, nn.modules.batchnorm._NormBase) and m.track_running_stats
    ] if model.training else []
    for norm in norms:
        norm.track_running_stats = False
    try:
        yield
    finally:
        for norm in norms:
            norm.track_running_stats = True
