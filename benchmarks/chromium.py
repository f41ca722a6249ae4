"""A headless Chromium that draws by software, for the drawing page."""

import shutil
from pathlib import Path

FLAGS = (
    'headless',
    'no-sandbox',
    'disable-gpu',
    'disable-quic',
    'no-first-run',
    'disable-background-networking',
    'disable-component-update',
    'disable-sync',
    'no-proxy-server',
    'disable-dev-shm-usage',
    'window-size=1280,900',
)


def start_chromium(profile: Path):
    """The driver of a new browser; None where chromium or chromedriver is missing.

    Args:
        profile: An empty folder for the browser's files.
    """
    from selenium import webdriver

    program, driver = shutil.which('chromium'), shutil.which('chromedriver')
    if None in (program, driver):
        return None
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for flag in (*FLAGS, f'user-data-dir={profile}'):
        options.add_argument(f'--{flag}')
    options.set_capability('goog:loggingPrefs', dict(browser='ALL'))
    return webdriver.Chrome(options, webdriver.ChromeService(driver))
