"""The list of all classes that are registered for mmpretrain's configs."""

from mmengine.fileio import register_backend
from mmengine.registry import RUNNERS, Registry
from mmpretrain import registry

from cfcn_plugin import guidance, masks
from cfcn_plugin.data import BackgroundSwap
from cfcn_plugin.features import FeatureHook

from . import datasets, engine, evaluation, models, transforms

REGISTERED: dict[Registry, tuple[type, ...]] = {
    registry.MODELS: (
        models.CFCNNet,
        models.CausalFocusHead,
        models.GuidedClassifier,
        models.GuidedDataPreprocessor,
        models.GuidedRetriever,
        models.GuidedTIMMBackbone,
        models.GuidedTimmClassifier,
        FeatureHook,
        guidance.ActDiffLoss,
        guidance.CausalFocusLoss,
        guidance.Combined,
        guidance.ConsistencyLoss,
        guidance.ExplanationLoss,
        guidance.GAINLoss,
        guidance.LiteralFocusLoss,
        guidance.RightReasonsLoss,
        guidance.UniformContextLoss,
    ),
    registry.BATCH_AUGMENTS: (BackgroundSwap,),
    registry.DATASETS: (datasets.CSVDataset, datasets.PetsBreeds, datasets.PetsSpecies),
    registry.DATA_SAMPLERS: (datasets.GuidedSampler,),
    registry.TRANSFORMS: (
        transforms.LoadActivationMask,
        transforms.LoadImage,
        transforms.MaskAware,
        transforms.PackGuidedInputs,
    ),
    registry.TASK_UTILS: (
        masks.BoxMasks,
        masks.COCOMasks,
        masks.CUBBoxMasks,
        masks.CUBSegmentationMasks,
        masks.CVATMasks,
        masks.IDRiDMasks,
        masks.LabelMeMasks,
        masks.LabelStudioMasks,
        masks.MatMasks,
        masks.PNGMasks,
        masks.PointMasks,
        masks.ScribbleMasks,
        masks.TrimapMasks,
        masks.VOCMasks,
        masks.YOLOMasks,
        masks.GrabCut,
    ),
    registry.METRICS: (
        evaluation.AUROC,
        evaluation.BackgroundSwapMetric,
        evaluation.BrightnessCurve,
        evaluation.Calibration,
        evaluation.ContrastCurve,
        evaluation.ExplanationFocus,
        evaluation.FocusMetric,
        evaluation.GroupAccuracy,
    ),
    registry.HOOKS: (
        engine.AtomicCheckpointHook,
        engine.BatchedLogHook,
        engine.CheckInvalidLossHook,
        engine.DeadMapHook,
        engine.ExactResumeHook,
        engine.FocusVisualizationHook,
        engine.GuidanceCheckHook,
        engine.GuidanceWarmUpHook,
        engine.ModelAwareLoopHook,
        engine.PreemptionHook,
        engine.ReduceLogHook,
        engine.ResolvedConfigHook,
    ),
    registry.LOOPS: (
        engine.ModelAwareTestLoop,
        engine.ModelAwareValLoop,
        engine.ResumableEpochLoop,
        engine.ResumableIterLoop,
    ),
    registry.OPTIM_WRAPPERS: (engine.CPUAmpOptimWrapper,),
    RUNNERS: (engine.ResumableRunner,),
}


def register_all() -> None:
    """Register each class in its mmpretrain registry, if not registered yet."""
    for where, classes in REGISTERED.items():
        for one in classes:
            if where.module_dict.get(one.__name__) is not one:
                where.register_module(module=one)
    register_backend('atomic', engine.AtomicFileBackend, force=True)
