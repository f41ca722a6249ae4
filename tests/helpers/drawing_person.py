"""A person at the drawing page: what is done there, and what is seen."""

import io
import time

import numpy as np
from PIL import Image
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.action_chains import ActionBuilder
from selenium.webdriver.common.actions.pointer_input import PointerInput


class Person:
    """What a person does with the page, and sees of it."""

    def __init__(self, driver):
        self.driver = driver

    def open(self, server):
        self.driver.get(getattr(server, 'address', server))
        self.ready()
        return self

    def ready(self, index=None):
        self.until(
            'window.app && app.mask && !app.isGoing && app.status.states'
            + ('' if index is None else f' && app.index === {index}')
        )

    def js(self, script, *args):
        return self.driver.execute_script(script, *args)

    def until(self, condition, seconds=20):
        end = time.monotonic() + seconds
        while not self.js(f'return Boolean({condition})'):
            assert time.monotonic() < end, (
                f'{condition}: {self.text} {self.driver.get_log("browser")}'
            )
            time.sleep(0.05)

    def sent(self):
        """The draft of the last edit is on the server."""
        self.until('!app.saver.isDirty && !app.saver.isSending')

    @property
    def message(self):
        return self.js("return document.getElementById('message')?.textContent")

    @property
    def text(self):
        return self.js('return document.body.innerText')

    def keys(self, *keys, **held):
        chain = ActionChains(self.driver)
        for name in held:
            chain.key_down(getattr(Keys, name.upper()))
        for key in keys:
            chain.send_keys(getattr(Keys, key, key))
        for name in held:
            chain.key_up(getattr(Keys, name.upper()))
        chain.perform()

    def drag(self, points, button=0, release=True):
        """Press at the first point of the image, move to the others, and release."""
        builder = ActionBuilder(
            self.driver, mouse=PointerInput('mouse', 'mouse'), duration=8
        )
        places = self.js(
            'const box = app.view.canvas.getBoundingClientRect();'
            'return arguments[0].map(p => app.view.toCanvas(p)).map('
            '([x, y]) => [x + box.left, y + box.top])',
            points,
        )
        mouse = builder.pointer_action
        for i, (x, y) in enumerate(places):
            mouse.move_to_location(round(x), round(y))
            if i == 0:
                mouse.pointer_down(button)
        if release:
            mouse.pointer_up(button)
        builder.perform()

    def release(self):
        ActionChains(self.driver).release().perform()

    def click(self, point):
        self.drag([point])

    def seen(self):
        """The pixels of the screen where the canvas is, (H, W, 3)."""
        self.js(
            'return new Promise(done => requestAnimationFrame('
            '() => requestAnimationFrame(done)))'
        )
        left, top, right, bottom = self.js(
            'const b = app.view.canvas.getBoundingClientRect();'
            'return [b.left, b.top, b.right, b.bottom].map(Math.round)'
        )
        screen = Image.open(io.BytesIO(self.driver.get_screenshot_as_png()))
        return np.array(screen.convert('RGB'))[top:bottom, left:right].astype(int)

    def errors(self):
        return [
            entry
            for entry in self.driver.get_log('browser')
            if entry['level'] == 'SEVERE'
            and '409' not in entry['message']
            and 'ERR_CONNECTION' not in entry['message']
        ]
