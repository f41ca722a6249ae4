// The page: one image at a time, and what leads on.
import {askJson, askRuns, Offline} from './api.js';
import {Connection} from './connection.js';
import {isOpen, show} from './dialog.js';
import {Editor} from './editor.js';
import {Images} from './images.js';
import {runKey} from './keys.js';
import {buildClasses, buildToolbar, showHelp, showSummary} from './panels.js';
import {readSteps} from './steps.js';
import {Thumbnails} from './thumbnails.js';

const find = id => document.getElementById(id);

export class App extends Editor {
  images = new Images();
  status = {states: '', drafts: [], seconds_left: null};

  constructor(overview) {
    super(overview, find('canvas'));
    this.thumbnails = new Thumbnails(find('thumbnails'), overview.names,
                                     index => this.goTo(index));
    this.connection = new Connection(this);
    buildToolbar(this);
    buildClasses(this, overview.classes, this.colours);
    addEventListener('keydown', event => {
      if (!isOpen() && !this.isEnded && runKey(this, event)) event.preventDefault();
    });
  }

  async open(index, agreed = '') {
    const number = this.opening = (this.opening || 0) + 1;
    this.say('');
    this.index = index;
    this.mask = null;
    this.pen.lift();
    this.thumbnails.goTo(index);
    try {
      const [{facts, runs, steps}, bitmap] = await Promise.all([
        askRuns(`mask/${index}`, {agreed}), this.images.get(index)]);
      if (number !== this.opening) return;
      this.begin(facts, runs, steps, bitmap);
    } catch (error) {
      if (number !== this.opening) return;
      this.view.show(null, 1, 1, []);
      this.sayError(error);
    }
    this.refresh();
    location.replace(`#${index + 1}`);
    await this.connection.poll();
    this.images.prefetch(index);
  }

  begin(facts, runs, steps, bitmap) {
    this.facts = facts;
    this.isLocked = !facts.mine;
    this.hint();
    this.show(facts, runs, bitmap);
    if (facts.draft && !readSteps(this.mask, steps)) this.mask.markUnsaved();
    const waits = JSON.parse(sessionStorage.getItem(this.waitsKey));
    if (waits && facts.mine) {
      this.takeUp(waits);
    } else if (facts.boxes.length && this.mask.isEmpty) {
      this.choose('outline', 'box');
    }
    if (this.isLocked) this.say('Another tab draws on this image. T takes it over.');
    else if (this.mask.isChanged) this.say('What was drawn before is here, and not saved yet.');
  }

  // Save what was drawn; false if the image must stay
  async leave() {
    if (!this.mask || this.isLocked) return true;
    if (this.tool.waits) this.tool.commit();
    if (!this.mask.isChanged) {
      await this.saver.forget();
      return true;
    }
    if (this.mask.isEmpty) {
      await this.saver.draft();
      return true;
    }
    if (this.status.states[this.index] === 's') return true;  // the draft stays
    return this.saver.save();
  }

  async goTo(index) {
    if (this.isGoing) return;
    this.isGoing = true;
    try {
      if (!await this.leave()) return;
      await this.open(index);
    } finally {
      this.isGoing = false;
    }
  }

  step(by) {
    const {length} = this.overview.names;
    return this.goTo((this.index + by + length) % length);
  }

  async goToOpen() {
    if (!await this.leave()) return;
    const {index} = await askJson('next', {after: this.index}).catch(
      error => this.sayError(error)) || {};
    if (index === undefined) return;
    if (index !== null && index !== this.index) await this.goTo(index);
    else if (index === null) await this.summary();
    else this.say('All other images are done.');
  }

  async finish() {
    if (this.tool.isAsking) return this.say('The outline is still being searched for.');
    this.tool.commit();
    if (!this.mask || this.mask.isEmpty) {
      return this.say('Nothing is drawn yet. K skips the image.');
    }
    if (this.mask.isChanged && !await this.saver.save()) return;
    await this.goToOpen();
  }

  enter() {
    if (this.tool.isAsking) return this.finish();
    if (this.mask && this.canEdit() && this.commit()) return;
    return this.finish();
  }

  async skip() {
    if (this.isLocked) return;
    try {
      const {skipped} = await askJson(`skip/${this.index}`, {method: 'POST'});
      await this.connection.poll();
      if (skipped) await this.goToOpen();
      else this.say('Not skipped any more.');
    } catch (error) {
      this.sayError(error);
    }
  }

  jump() {
    const input = Object.assign(document.createElement('input'), {
      type: 'number', min: 1, max: this.overview.names.length, value: this.index + 1});
    show('Go to image', [input], [['Enter', 'Go', () => {
      if (input.checkValidity() && input.value) this.goTo(Number(input.value) - 1);
    }], ['Escape', 'Back']]);
    input.select();
  }

  help() { showHelp(); }

  async summary() {
    await this.leave();
    await this.connection.poll();
    showSummary(this, this.status.states);
  }

  say(text) {
    find('message').textContent = text;
    find('message').classList.remove('problem');
  }

  sayError(error) {
    if (error instanceof Offline) return this.connection.setOffline(error.message);
    this.say(error.message);
    find('message').classList.add('problem');
  }
}
