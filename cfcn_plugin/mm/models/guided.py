"""The guided types of mmpretrain's classifiers."""

import torch
from mmpretrain.models import ImageClassifier, ImageToImageRetriever, TimmClassifier
from torch import Tensor

from cfcn_plugin.stock import Stock

from .guided_mixin import GuidedMixin, built
from .in_channels import resolve_head

# which a stock model does not have
EXTRA_KEYS = ('guidance', 'feature_hook', 'fine_tuning')


class GuidedClassifier(GuidedMixin, ImageClassifier):
    """``ImageClassifier`` with guidance; see :class:`GuidedMixin`.

    A head whose ``in_channels`` is None or left out gets the backbone's width.
    """

    stock = Stock('ImageClassifier', extra_keys=EXTRA_KEYS)

    def __init__(self, backbone, neck=None, head=None, **kwargs):
        backbone, resolved = built(backbone), {}
        if isinstance(head, dict) and (neck is None or isinstance(neck, dict)):
            given = head.get('in_channels')
            head = resolve_head(head, backbone, neck)
            if head.get('in_channels') != given:
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
                'model_name=...) of a GuidedClassifier'
            )


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
