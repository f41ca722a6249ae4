"""The one place where guidance joins a forward pass."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any
from weakref import finalize, ref

import torch
from torch import Tensor, nn

from cfcn_plugin.features import Captured, FeatureHook

from .class_scores import class_scores
from .combined import Combined
from .guidance import Guidance
from .guidance_batch import GuidanceBatch, ModelView
from .mask_batch import MaskBatch
from .step_checks import check_masks, checked_target
from .within_step import differentiable_pass, refuse_sharded, second_pass


class Guide:
    """Guidance of a classifier in any training loop::

        guide = Guide(model, CausalFocusLoss())
        for images, labels, masks in loader:
            images = guide.prepare(images)
            with guide:
                logits = model(images)
            loss = F.cross_entropy(logits, labels)
            loss = loss + guide.loss(images, logits, labels, masks)

    The maps are captured in the forward pass that training makes anyway. A guide adds
    no parameter to the model and renames none. Its hooks leave the model when the guide
    is deleted, or by :meth:`remove`. ``prepare`` is needed by the methods that ask for
    gradients in the images, and does nothing for the others.

    Make the guide before ``torch.compile``, of the model that is compiled or wrapped
    (DistributedDataParallel), and run the compiled or wrapped one in ``with guide``.

    Args:
        model: The classifier.
        methods: A :class:`Guidance`, or several whose terms are summed. None: the
            baseline. There are no terms, and maps are captured all the same.
        feature_hook: Where the maps are. None: the map that pooling receives.
        forward: From images (B, 3, H, W) to class scores (B, C), or to an output with
            them as ``logits``. None: ``model``.
        trained: The module whose parameters guidance trains. None: ``model``.

    Attributes:
        weight: Factor of all of guidance's losses, for a warm-up.

    Raises:
        TypeError: The model is no module, or a method no :class:`Guidance`.
        ValueError: A method has parameters of its own, or a target of the feature hook
            does not exist in the model.
    """

    def __init__(
        self,
        model: nn.Module,
        methods: Guidance | Sequence[Guidance] | None,
        feature_hook: FeatureHook | None = None,
        forward: Callable[[Tensor], Tensor] | None = None,
        trained: nn.Module | None = None,
    ):
        if not isinstance(model, nn.Module):
            raise TypeError(
                f'`model` must be a torch module, got {type(model).__name__}'
            )
        if isinstance(methods, Sequence) and not isinstance(methods, str):
            methods = Combined(methods)
        if not isinstance(methods, Guidance | None):
            raise TypeError(
                '`methods` must be a Guidance such as CausalFocusLoss(), '
                f'several, or None, got {methods!r}'
            )
        if methods is not None and any(True for _ in methods.parameters()):
            raise ValueError(
                f'{type(methods).__name__} has parameters of its own: a checkpoint of '
                'the stock model has no place for them'
            )
        self.model = model
        self.method = methods
        self.feature_hook = (feature_hook or FeatureHook()).attach(model)
        self.forward = model if forward is None else forward
        self.trained = model if trained is None else trained
        self.weight = 1.0
        self._block: ExitStack | None = None
        self._captured: Captured | None = None
        self._prepared: tuple[ref, int] | None = None  # images, and their version
        # what is attached here: another guide may attach the same hook later
        finalize(self, _detach, self.feature_hook.captures).atexit = False

    def remove(self) -> None:
        """Take the guide's hooks off the model."""
        self.feature_hook.detach()

    @property
    def needs_input_grad(self) -> bool:
        """Whether images must require a gradient, see :meth:`prepare`."""
        return self.method is not None and self.method.needs_input_grad

    def prepare(self, images: Tensor) -> Tensor:
        """The images, requiring a gradient where a method needs their gradient."""
        if not torch.compiler.is_compiling() and not images.is_inference():
            self._prepared = ref(images), images._version
        return images.requires_grad_() if self.needs_input_grad else images

    # ---- the forward pass ---------------------------------------------------

    def __enter__(self) -> 'Guide':
        if self._block is not None:
            raise RuntimeError(
                '`with guide` inside of `with guide`: one forward pass is guided at a '
                'time; leave the outer block first'
            )
        if not self.feature_hook.captures:
            raise RuntimeError(
                "the guide's hooks are no longer on the model (`remove`): make a new "
                'Guide'
            )
        refuse_sharded(self.method, self.model)
        self._captured = None
        self._block = ExitStack()
        self._block.enter_context(self.feature_hook)
        self._block.enter_context(differentiable_pass(self.method))
        return self

    def __exit__(self, kind, error, traceback) -> None:
        if kind is None:
            self._captured = self.feature_hook.captured()
        if self._block is not None:
            self._block.__exit__(kind, error, traceback)
        self._block = None

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), '_block': None, '_captured': None, '_prepared': None}

    # ---- the terms ----------------------------------------------------------

    def loss(
        self, images: Tensor, logits: Tensor, target: Tensor, masks: MaskBatch
    ) -> Tensor:
        """The sum of guidance's losses, a scalar; arguments as in :meth:`batch`."""
        terms = self.terms(images, logits, target, masks)
        return sum(  # type: ignore[return-value]
            value for key, value in terms.items() if 'loss' in key
        )

    def terms(
        self, images: Tensor, logits: Tensor, target: Tensor, masks: MaskBatch
    ) -> dict[str, Tensor]:
        """Each method's terms, scalars: losses, times ``weight``, and what is logged.

        Arguments and errors are those of :meth:`batch`. Buffers of methods are moved to
        the images' device.

        Raises:
            ValueError: There is a method, and no masks.
        """
        batch = self.batch(images, logits, target, masks)
        if self.method is None:
            return {}
        if masks is None:
            raise ValueError(
                'guidance got no masks: give a MaskBatch, in which images '
                'without a mask have guided=False'
            )
        if next(self.method.buffers(), images).device != images.device:
            self.method.to(images.device)
        terms = self.method(batch)
        return {
            key: self.weight * value if 'loss' in key else value
            for key, value in terms.items()
        }

    def batch(
        self, images: Tensor, logits: Tensor, target: Tensor, masks: MaskBatch
    ) -> GuidanceBatch:
        """What guidance gets of the forward pass that ran last inside ``with guide``.

        Args:
            images: (B, 3, H, W), the model's input.
            logits: (B, C), the model's class scores, with their graph; or an output
                with them as ``logits``.
            target: (B,) int64 labels, or (B, C) scores or one-hot labels.
            masks: The masks of the batch, on the model's device.

        Raises:
            TypeError: ``masks`` is no :class:`MaskBatch` of tensors, ``target`` is no
                tensor, or ``logits`` are no class scores.
            ValueError: ``masks.mask`` or ``target`` has a wrong shape, or masks are on
                another device than images.
            RuntimeError: No forward pass ran inside ``with guide`` since the last call,
                or a map has no graph although its module is trained.
        """
        logits = class_scores(logits)
        target = checked_target(target, logits)
        if masks is not None:
            check_masks(masks, images)
        captured, self._captured = self._captured, None
        if captured is None:
            raise RuntimeError(
                'no forward pass was captured: run the model inside `with guide:` '
                'before each call'
            )
        maps = captured.maps(images, self._needs_graph)
        is_changed = self._is_changed(images)
        view = ModelView(
            partial(self._classify, is_changed),
            partial(self._features, is_changed),
            captured.gradients(images),
            captured.covers(maps, images),
        )
        return GuidanceBatch(images, maps, logits, target, masks, view)

    @property
    def _needs_graph(self) -> bool:
        return self.model.training and any(
            p.requires_grad for p in self.trained.parameters()
        )

    def _is_changed(self, images: Tensor) -> bool:
        """Whether the forward pass has changed the images in place."""
        prepared, version = self._prepared or (lambda: None, 0)
        return prepared() is images and images._version != version

    def _classify(self, is_changed: bool, images: Tensor) -> Tensor:
        with second_pass(self.model, is_changed):
            return class_scores(self.forward(images))

    def _features(self, is_changed: bool, images: Tensor) -> tuple[Tensor, ...]:
        with second_pass(self.model, is_changed), self.feature_hook:
            self.forward(images)
            return self.feature_hook.captured().maps(images, self._needs_graph)


def _detach(captures: list) -> None:
    for capture in captures:
        capture.handle.remove()
