"""Resuming a run with the same result, bit for bit, as an uninterrupted run."""

from mmengine.dist import all_gather_object, get_rank, get_world_size
from mmengine.hooks import CheckpointHook, EarlyStoppingHook, EMAHook, Hook
from torch import nn

from cfcn_plugin.mm.engine.unwrap_model import unwrap_model
from cfcn_plugin.stock import GOES

from .resumable_loops import ResumableEpochLoop, ResumableMixin

KEY = 'exact_resume'


class ExactResumeHook(Hook):
    """Seed every random draw by the iteration, and save the remaining state.

    All generators (Python, numpy, torch on CPU and GPUs) are seeded in each iteration
    by (seed, process, iteration), and for each sample by its own numbers, see
    :class:`ResumableBatches`. So random draws depend only on the seed and the
    iteration, which are in the checkpoint, not on validations, hooks or data workers.

    The checkpoint also has the remaining state of every process: buffers (BatchNorm
    statistics differ between processes), accumulated gradients, and whether a
    validation was due.

    Raises:
        ValueError: The checkpoint's run had another seed, other batches or another
            number of processes; or the config uses a component with random draws or
            counts that no checkpoint saves.
    """

    stock = GOES
    priority = 'LOWEST'  # a due validation runs after all other hooks are prepared

    def __init__(self):
        self._states = None
        self._resumed = None
        self._validating = False

    def before_run(self, runner) -> None:
        if not isinstance(runner.train_loop, ResumableMixin):
            raise ValueError(
                'exact resume supports EpochBasedTrainLoop and IterBasedTrainLoop, but '
                f'the train loop is {type(runner.train_loop).__name__}: leave '
                '--exact-resume out'
            )
        for hook in runner.hooks:
            if isinstance(hook, CheckpointHook) and not hook.save_optimizer:
                raise ValueError(
                    'exact resume needs the optimizer in its checkpoints: leave '
                    'default_hooks.checkpoint.save_optimizer=False or --exact-resume '
                    'out'
                )
            if isinstance(hook, EarlyStoppingHook):
                raise ValueError(
                    'EarlyStoppingHook does not save its count in checkpoints, so a '
                    'resumed run would stop at another epoch: leave the hook or '
                    '--exact-resume out'
                )
        if 'Albumentations' in str(runner.cfg.train_dataloader):
            raise ValueError(
                'Albumentations has its own random generators, which no checkpoint '
                'saves: use other transforms, or leave --exact-resume out'
            )

    def before_val(self, runner) -> None:
        self._validating = True

    def after_val(self, runner) -> None:
        self._validating = False

    def on_every_rank_before_save(self, runner) -> None:
        """Gather the state of all processes for the process that saves."""
        self._states = all_gather_object(_own_state(runner))

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        if 'optimizer' in checkpoint:
            checkpoint[KEY] = dict(
                run=_run(runner), validated=self._validating, ranks=self._states
            )
        self._states = None

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        if not runner._resume:
            return
        if KEY not in checkpoint:
            raise ValueError(
                "the checkpoint is of a run without --exact-resume, so the run's draws "
                'cannot be repeated: resume without --exact-resume, or start a new '
                'run with it'
            )
        self._resumed = checkpoint[KEY]
        now = _run(runner)
        for name, before in self._resumed['run'].items():
            if now[name] != before:
                raise ValueError(
                    f'exact resume: {name} was {before} in the interrupted run, and '
                    f'is {now[name]} now: use the earlier value, or resume without '
                    '--exact-resume'
                )

    def before_train(self, runner) -> None:
        if self._resumed is None:
            return
        _set_own_state(runner, self._resumed['ranks'][get_rank()])
        if not self._resumed['validated'] and _is_validation_due(runner):
            runner.val_loop.run()
        self._resumed = None


def _is_validation_due(runner) -> bool:
    """Whether a validation is due after the iteration of the checkpoint.

    Schedules and the choice of the best checkpoint depend on this validation.
    """
    loop = runner.train_loop
    by_epoch = isinstance(loop, ResumableEpochLoop)
    if runner.val_loop is None or (by_epoch and loop.done):
        return False
    loop._decide_current_val_interval()
    at, last = (
        (loop.epoch, loop.max_epochs) if by_epoch else (loop.iter, loop.max_iters)
    )
    return at >= max(loop.val_begin, 1) and (at % loop.val_interval == 0 or at == last)


def _run(runner) -> dict[str, int]:
    """The settings that must be equal for equal random draws."""
    loop, seed = runner.train_loop, runner.seed
    if runner._randomness_cfg.get('diff_rank_seed'):
        seed -= get_rank()
    return {
        'the seed': seed,
        'the number of processes': get_world_size(),
        'the batch size': loop.batches.batch_size,
        'the number of batches in an epoch': len(loop.batches),
        'the number of samples': len(loop.dataloader.dataset),
    }


def _modules(runner) -> list[nn.Module]:
    averages = [h.ema_model for h in runner.hooks if isinstance(h, EMAHook)]
    return [unwrap_model(runner.model), *averages]


def _own_state(runner) -> list[dict]:
    return [
        dict(
            buffers={n: b.detach().cpu() for n, b in module.named_buffers()},
            gradients={
                n: p.grad.cpu()
                for n, p in module.named_parameters()
                if p.grad is not None
            },
        )
        for module in _modules(runner)
    ]


def _set_own_state(runner, states: list[dict]) -> None:
    for module, state in zip(_modules(runner), states):
        for name, buffer in module.named_buffers():
            buffer.copy_(state['buffers'][name])
        for name, parameter in module.named_parameters():
            if name in state['gradients']:
                parameter.grad = state['gradients'][name].to(parameter)
