"""Loading the mask of one image, with the policies for missing and wrong masks."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace

from cfcn_plugin.options import check_choice, check_flag, check_number, check_whole

from .base import MaskSource, image_key
from .errors import MaskError
from .failures import Failures
from .io.stored_names import normal_name
from .mask_memory import MaskMemory, memory_key
from .mask_query import QueryResult, describe_image, query_source
from .orientation import image_pixels
from .refine import GrabCut
from .refine_record import RefineRecord
from .selection import guidance_rank, read_guided_list

POLICIES = ('error', 'unguided')
ON_ERROR = ('raise', 'unguided')
MAX_WARNINGS = 100  # in one process
warn_by_logging = logging.getLogger(__name__).warning


class MaskLoader:
    """Loads the mask of a loaded image from a mask source.

    A mask stays in memory as it was loaded, see :class:`.MaskMemory`. The source is
    asked again when the mask's files, or the image's file, have changed.

    Args:
        source: The mask source.
        image_list: File with the keys of the guided images, one per line, written by
            ``tools/choose_guided.py``; other images are unguided. None: all images.
        fraction: Fraction of guided images, in [0, 1]. The images are chosen by a hash
            of ``seed`` and image; a smaller fraction is a subset of a larger one.
        seed: Seed of the hash.
        missing: ``'error'``: every (chosen) image must have a mask.
            ``'unguided'``: an image without a mask is unguided.
        empty: The same options for a mask without a causal pixel.
        exif: Orientation of the masks of photographs with an EXIF orientation. False:
            masks are upright, like images in annotation tools and in cv2. True: masks
            are like the file's stored pixels, and are turned here as the image was.
            An image that was loaded without its orientation is told.
        rescale: Whether a mask of another size than its image, with the same
            proportions, is scaled to its image (nearest neighbour). Formats that store
            no size, such as boxes in CSV, cannot be scaled.
        on_error: Handling of an unusable mask (damaged, of another size, or an error by
            ``missing`` or ``empty``). ``'raise'``: the error is raised.
            ``'unguided'``: the image is unguided; a warning names the image once in
            each process. If the first 32 masks fail, the 32nd error is raised.
        refine: Refines a coarse mark (box, point, scribble) to the object's outline. A
            warning names each image without an outline once in each process, where the
            ellipse in the mark, or the mark, is taken instead. None: masks as they are.
        warn: Called with each warning.

    Raises:
        ValueError: An option has a wrong value, or ``image_list`` is empty.
        TypeError: ``refine`` refines nothing.
        FileNotFoundError: There is no such ``image_list``.
    """

    def __init__(
        self,
        source: MaskSource,
        image_list: str | None = None,
        fraction: float = 1.0,
        seed: int = 0,
        missing: str = 'error',
        empty: str = 'error',
        exif: bool = False,
        rescale: bool = False,
        on_error: str = 'raise',
        refine: GrabCut | None = None,
        warn: Callable[[str], None] = warn_by_logging,
    ):
        check_choice('missing', missing, POLICIES)
        check_choice('empty', empty, POLICIES)
        check_choice('on_error', on_error, ON_ERROR)
        check_number('fraction', fraction, least=0, most=1)
        check_whole('seed', seed)
        check_flag('exif', exif)
        check_flag('rescale', rescale)
        if refine is not None and not callable(refine):
            raise TypeError(
                "`refine` must be a GrabCut (in a config dict(type='GrabCut')), got "
                f'{refine!r}'
            )
        if image_list is not None and fraction != 1:
            raise ValueError(
                'give either `image_list` (the exact images) or `fraction`, not both'
            )
        self.source = source
        self.image_list_file = image_list
        self.image_list = (
            None
            if image_list is None
            else frozenset(map(normal_name, read_guided_list(image_list)))
        )
        self.fraction = fraction
        self.seed = seed
        self.missing = missing
        self.empty = empty
        self.exif = exif
        self.rescale = rescale
        self.on_error = on_error
        self.failures = Failures(MaskError, 'masks cannot be used')
        self.refine = None if refine is None else RefineRecord(refine, warn)
        self.warn = warn
        self.memory = MaskMemory()

    def is_chosen(self, key: str) -> bool:
        """Whether the list and the fraction choose the image of this key."""
        if self.image_list is not None:
            return normal_name(key) in self.image_list
        return self.fraction == 1 or guidance_rank(key, self.seed) < self.fraction

    def unknown_lines(self, keys: Iterable[str]) -> frozenset[str]:
        """Lines of the list that are none of the images ``keys``."""
        if self.image_list is None:
            return frozenset()
        return self.image_list.difference(map(normal_name, keys))

    def is_sample_chosen(self, sample: dict) -> bool:
        """The same for a sample.

        Raises:
            MaskError: See :func:`.base.image_key`.
        """
        if self.image_list is None and self.fraction == 1 and self.on_error == 'raise':
            return True  # no key needed here
        return self.is_chosen(image_key(sample, self.source.data_root))

    def check(self, images: Iterable[str] | None = None) -> None:
        """Check before training that masks belong to images, and entries can be read.

        Args:
            images: Keys of the images that are used. None: all images.

        Raises:
            MaskError: A mask belongs to no image; or, with ``on_error='raise'``, an
                entry of a chosen image is broken (``'unguided'``: a warning).
        """
        self.source.check()
        broken = self.source.broken()
        if broken and images is None:
            broken = [pair for pair in broken if self.is_chosen(pair[0])]
        elif broken:
            used = set(map(normal_name, filter(self.is_chosen, images)))
            broken = [pair for pair in broken if pair[0] in used]
        if not broken:
            return
        first = broken[0][1]
        if self.on_error == 'raise':
            raise MaskError(
                f'{len(broken)} entries of guided images cannot be read: correct them, '
                "or take their images as unguided with on_error='unguided'. The first: "
                f'{first}'
            )
        self.warn(
            f'{len(broken)} entries cannot be read, their images are unguided. '
            f'The first: {first}'
        )

    def check_missing(self, images: Iterable[str]) -> None:
        """Check before training that each chosen image has a mask; none is decoded.

        Nothing is checked if an option makes images without a mask unguided.

        Args:
            images: Keys of the images that are used.

        Raises:
            MaskError: Images have no mask.
        """
        if (self.missing, self.on_error) != ('error', 'raise'):
            return
        missing = self.source.missing(filter(self.is_chosen, images))
        if missing:
            raise MaskError(
                f'{len(missing)} guided images have no mask in '
                f'{self.source.looked_for(min(missing))}, for example '
                f'{", ".join(map(repr, sorted(missing)[:3]))}: add masks, or declare '
                "images without one unguided with `missing='unguided'`"
            )

    def query(self, sample: dict, shape: tuple[int, int]) -> QueryResult:
        """Query the source for a sample with ``img_path`` or ``sample_idx``.

        This method ignores the policies and raises no error. ``shape`` is (H, W) of the
        loaded image. Without the sample's ``img``, the loaded image counts as upright.
        """
        try:
            if not self.is_sample_chosen(sample):
                return QueryResult('unchosen')
            return query_source(self.source, sample, shape, self.exif, self.rescale)
        except Exception as error:  # a bug in a source must not end a validation
            return QueryResult('unusable', error)

    def load(self, sample: dict, shape: tuple[int, int]) -> QueryResult:
        """Query the source, apply the policies, and refine the mask.

        ``refine`` needs the loaded image in the sample's ``img``, uint8 (H, W, 3), a
        PIL image or a tensor (3, H, W).

        Raises:
            ValueError: ``refine`` is set, and the image is missing or not uint8.
            MaskError: The mask cannot be used, and ``on_error`` is ``'raise'``; or the
                first 32 masks cannot be used.
        """
        key = memory_key(sample, shape)
        image = None if self.refine is None else image_pixels(sample.get('img'))
        kept = self.memory.find(key, image)
        if kept is not None:
            self.failures.any_fine = True
            return QueryResult('mask', None, *kept)
        result = query_source(self.source, sample, shape, self.exif, self.rescale)
        if result.error is None or self.is_declared_unguided(result):
            self.failures.any_fine = True
        elif self.on_error == 'raise':
            raise result.error
        else:
            self._warn(describe_image(sample), result.error)
        if result.kind == 'mask':
            if self.refine is not None:
                record, ways = self.refine(describe_image(sample), result.record, image)
                result = replace(result, record=record, ways=ways)
            self.memory.keep(key, result.record, result.ways, image)
        return result

    def _warn(self, name: str, error: Exception) -> None:
        """Warn once for each unusable mask, and at most 100 times in a process."""
        count = self.failures.add(name, error)
        if 0 < count <= MAX_WARNINGS:
            self.warn(f'{name} is unguided: {error}')
        if count == MAX_WARNINGS:
            self.warn(
                f'{MAX_WARNINGS} masks cannot be used in this process, more are '
                'not named: see `mask_error_fraction`'
            )

    def is_declared_unguided(self, result: QueryResult) -> bool:
        """Whether ``missing`` or ``empty`` declares the image unguided."""
        return getattr(self, result.kind, 'error') == 'unguided'
