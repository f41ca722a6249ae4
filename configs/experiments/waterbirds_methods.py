# Every way to guide on Waterbirds that has a config; no results are committed yet.
_base_ = './waterbirds_systems.py'
systems = dict(
    cfcn_share='../cfcn-share_efficientnet-lite0_waterbirds.py',
    gain='../gain_efficientnet-lite0_waterbirds.py',
    rrr='../rrr_efficientnet-lite0_waterbirds.py',
    energy='../energy_efficientnet-lite0_waterbirds.py',
    l1='../l1_efficientnet-lite0_waterbirds.py',
    actdiff='../actdiff_efficientnet-lite0_waterbirds.py',
    swap='../swap_efficientnet-lite0_waterbirds.py')
