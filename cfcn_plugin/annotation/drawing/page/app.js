// The page: one image at a time, its mask, the tool in hand, and what leads on.
import {ask, askJson, askRuns, Offline} from './api.js';
import {isOpen, paragraph, show} from './dialog.js';
import {runKey} from './keys.js';
import {Mask} from './mask.js';
import {Outline} from './outline.js';
import {buildClasses, buildToolbar, markChosen, showHelp, showImage, showProgress,
        showSummary} from './panels.js';
import {Pen} from './pen.js';
import {listen} from './pointer.js';
import {clamp, decodeRuns} from './raster.js';
import {Saver} from './saving.js';
import {Thumbnails} from './thumbnails.js';
import {Box, Brush, Lasso, Polygon} from './tools.js';
import {Layer, View} from './view.js';

const COLOURS = [[255, 140, 0], [64, 156, 255], [186, 104, 255], [255, 92, 138],
                 [120, 200, 40], [0, 190, 170], [240, 215, 0], [160, 120, 90]];
const ALPHA = 125;
const POLL = 3000;        // milliseconds
const PREFETCHED = 4;     // images that stay decoded
const find = id => document.getElementById(id);

export class App {
  erase = false;
  invert = false;           // the right mouse button is held
  label = 1;
  brush = 0.012;            // radius as a fraction of the image's diagonal
  images = new Map();
  status = {states: '', drafts: [], seconds_left: null};

  constructor(overview) {
    this.overview = overview;
    const count = Math.max(1, overview.classes.length);
    this.colours = Array.from({length: count}, (_, i) => [...COLOURS[i % 8], ALPHA]);
    this.view = new View(find('canvas'), c => this.drawTool(c));
    this.tools = {brush: new Brush(this), lasso: new Lasso(this), box: new Box(this),
                  polygon: new Polygon(this), outline: new Outline(this)};
    this.pen = new Pen(this);
    this.saver = new Saver(this);
    this.thumbnails = new Thumbnails(find('thumbnails'), overview.names,
                                     index => this.goTo(index));
    buildToolbar(this);
    buildClasses(this, overview.classes, this.colours);
    this.choose('outline', 'box');
    listen(this);
    addEventListener('keydown', event => {
      if (!isOpen() && !this.isEnded && runKey(this, event)) event.preventDefault();
    });
    addEventListener('pagehide', () => this.saver.leavePage());
    addEventListener('beforeunload', event => {
      if (this.isOffline && this.saver.isDirty) event.preventDefault();
    });
    setInterval(() => this.poll(), POLL);
  }

  // ---- images ------------------------------------------------------------------------

  async open(index, agreed = '') {
    const number = this.opening = (this.opening || 0) + 1;
    this.say('');
    this.index = index;
    this.mask = null;
    this.pen.lift();
    this.thumbnails.goTo(index);
    try {
      const [{facts, runs}, bitmap] = await Promise.all([
        askRuns(`mask/${index}`, {agreed}), this.image(index)]);
      if (number !== this.opening) return;
      this.begin(facts, runs, bitmap);
    } catch (error) {
      if (number !== this.opening) return;
      this.view.show(null, 1, 1, []);
      this.sayError(error);
    }
    this.refresh();
    location.replace(`#${index + 1}`);
    await this.poll();
    this.prefetch();
  }

  begin(facts, runs, bitmap) {
    const {width, height} = facts;
    this.facts = facts;
    this.isLocked = !facts.mine;
    this.layer = new Layer(width, height, () => this.mask.labels, this.colours);
    this.mask = new Mask(width, height, runs, rect => {
      this.layer.update(rect);
      this.view.invalidate();
    });
    if (facts.draft) this.mask.markUnsaved();
    this.saver.opened();
    Object.values(this.tools).forEach(tool => tool.cancel());
    this.tools.outline.opened(this.mask);
    this.layer.update({left: 0, top: 0, right: width, bottom: height});
    this.view.show(bitmap, width, height, [this.layer, this.tools.outline.layer]);
    const waits = JSON.parse(sessionStorage.getItem(this.waitsKey));
    if (waits) {
      this.takeUp(waits);
    } else if (facts.boxes.length && this.mask.isEmpty && facts.mine) {
      this.choose('outline', 'box');
      this.tools.outline.suggest(facts.boxes);
    }
    if (this.isLocked) this.say('Another tab draws on this image. T takes it over.');
    else if (facts.draft) this.say('What was drawn before is here, and not saved yet.');
  }

  image(index) {
    if (!this.images.has(index)) {
      const loaded = ask(`image/${index}`).then(answer => answer.blob())
        .then(blob => createImageBitmap(blob));
      loaded.catch(() => this.images.delete(index));
      this.images.set(index, loaded);
    }
    const found = this.images.get(index);
    this.images.delete(index);
    this.images.set(index, found);  // the last that goes
    if (this.images.size > PREFETCHED) this.images.delete(this.images.keys().next().value);
    return found;
  }

  async prefetch() {
    try {
      const {index} = await askJson('next', {after: this.index});
      if (index !== null) await this.image(index);
    } catch { /* it is asked for again when it is opened */ }
  }

  // Save what was drawn; false if the image must stay
  async leave() {
    if (!this.mask || this.isLocked) return true;
    if (this.tool.waits) this.tool.commit();
    if (!this.mask.isChanged) return true;
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
      if (index !== this.index) this.before = this.index;
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
      await this.poll();
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

  // ---- drawing -----------------------------------------------------------------------

  get tool() { return this.tools[this.toolName]; }
  get isErasing() { return this.erase !== this.invert; }
  get value() { return this.isErasing ? 0 : this.label; }
  get radius() { return this.brush * Math.hypot(this.mask.width, this.mask.height); }
  get waitsKey() { return `waits ${this.overview.masks} ${this.overview.names[this.index]}`; }

  choose(name, start) {
    if (this.mask && this.tool !== this.tools[name]) this.commit();
    this.toolName = name;
    if (start) this.tool.start = start;
    this.refresh();
  }

  chooseLabel(label) {
    if (label > this.colours.length) return;
    this.label = label;
    this.refresh();
  }

  setErase(erase) {
    this.erase = erase;
    this.refresh();
  }

  resizeBrush(factor) {
    this.brush = clamp(this.brush * factor, 0.0005, 0.2);
    this.view.invalidate();
  }

  canEdit() {
    if (!this.mask) return false;
    if (this.isLocked) this.say('Another tab draws on this image. T takes it over.');
    else if (this.facts.earlier && !this.saver.agreed.has('earlier')) this.refused('earlier');
    else return true;
    return false;
  }

  commit() {
    const done = this.tool.commit();
    this.remember();
    this.refresh();
    return done;
  }

  edit(shape, restore = null) {
    this.mask.begin();
    this.mask.paint(shape, this.value);
    return this.endEdit(restore);
  }

  endEdit(restore = null) {
    const changed = this.mask.end(restore);
    if (changed) this.saver.draft();
    this.refresh();
    return changed || Boolean(restore);
  }

  undo() {
    if (!this.mask || this.tool.back()) return this.remember();
    const edit = this.canEdit() && this.mask.undo();
    if (!edit) return this.say('Nothing to undo.');
    this.saver.draft();
    if (edit.shape) this.takeUp(edit.shape);
    this.refresh();
  }

  redo() {
    if (!this.mask || !this.canEdit()) return;
    this.tool.cancel();
    if (this.mask.redo()) this.saver.draft();
    else this.say('Nothing to redo.');
    this.remember();
    this.refresh();
  }

  takeUp({tool, state}) {  // a shape that was taken back, or waited
    this.toolName = tool;
    this.tool.restore(state);
  }

  back() {
    this.tool.back();
    this.remember();
  }

  escape() {
    this.tool.cancel();
    this.isPressed = false;
    this.remember();
  }

  // The shape that waits outlives a refresh
  remember() {
    const state = this.tool.waits;
    if (state) sessionStorage.setItem(this.waitsKey, JSON.stringify(
      {tool: this.toolName, state}));
    else sessionStorage.removeItem(this.waitsKey);
    this.view.invalidate();
  }

  clear() {
    if (!this.canEdit()) return;
    this.replace(new Uint8Array(this.mask.labels.length));
  }

  async copyBefore() {
    const from = this.before ?? this.index - 1;
    if (from < 0 || !this.canEdit()) return this.say('There is no image before.');
    try {
      const {facts, runs} = await askRuns(`saved/${from}`);
      const labels = decodeRuns(runs, facts.width * facts.height);
      const {width, height} = this.mask;
      this.replace(Uint8Array.from({length: width * height}, (_, i) => labels[
        Math.floor(Math.floor(i / width) * facts.height / height) * facts.width +
        Math.floor(i % width * facts.width / width)]));
      this.say(`The mask of image ${from + 1} is copied.`);
    } catch (error) {
      this.sayError(error);
    }
  }

  replace(labels) {
    this.mask.begin();
    this.mask.setAll(labels);
    this.endEdit();
  }

  // ---- looking -----------------------------------------------------------------------

  zoom(factor) { this.view.zoom(factor, this.view.centre); }
  pan(dx, dy) { this.view.pan(80 * dx, 80 * dy); }

  toggleMask() {
    if (this.layer) this.layer.isShown = !this.layer.isShown;
    this.view.invalidate();
  }

  drawTool(c) {
    if (!this.mask) return;
    this.tool.draw(c);
    this.pen.draw(c);
  }

  help() { showHelp(); }

  async summary() {
    await this.leave();
    await this.poll();
    showSummary(this, this.status.states);
  }

  say(text) {
    find('message').textContent = text;
    find('message').classList.remove('problem');
  }

  sayError(error) {
    if (error instanceof Offline) return this.setOffline(error.message);
    this.say(error.message);
    find('message').classList.add('problem');
  }

  refresh() {
    if (this.index === undefined) return;
    showImage(this);
    markChosen(this);
    this.view.invalidate();
  }

  // ---- the server, and other tabs ----------------------------------------------------

  async poll() {
    if (this.isEnded) return;
    try {
      const index = this.index;
      this.status = await askJson('status', {index: index ?? ''});
      this.setOffline('');
      this.thumbnails.update(this.status.states, this.status.drafts);
      showProgress(this.status);
      if (!this.mask || index !== this.index) return;
      if (!this.status.mine && !this.isLocked) this.refused('taken');
      else if (this.status.mine && this.isLocked && !this.mask.isChanged) {
        await this.open(this.index);
      } else if (this.saver.isDirty && !this.isLocked) await this.saver.draft();
    } catch (error) {
      this.sayError(error);
    }
  }

  setOffline(reason) {
    this.isOffline = Boolean(reason);
    find('offline').hidden = !reason;
    find('offline').textContent = `No connection: ${reason}. What you draw stays in this ` +
      'tab and is saved when the server is back. If it was started anew, open the new ' +
      'address in this browser once.';
  }

  // Nothing was written; a person decides
  refused(reason) {
    const load = ['r', 'Load the other', () => this.open(this.index)];
    if (reason === 'taken') {
      this.isLocked = true;
      this.refresh();
      if (!this.mask.isChanged) {
        return this.say('Another tab draws on this image. T takes it over.');
      }
      show('Another tab took this image', [paragraph(
        'What you drew here is kept in this tab as long as it shows this image.')],
      [['t', 'Take it back: mine replaces the other', () => this.takeBack()], load]);
    } else if (reason === 'changed') {
      show('The mask was changed elsewhere', [paragraph(
        'Another tab or program saved this mask after you opened it.')],
      [['Escape', 'Back'], ['o', 'Replace it with mine', () => this.agree('changed')], load]);
    } else {
      show('A mask from an earlier session', [paragraph(
        'May what you draw now replace it? Its file stays as it is until you save.')],
      [['y', 'Edit it', () => this.agree('earlier')], ['Escape', 'Leave it as it is']]);
    }
  }

  agree(reason) {
    this.saver.agreed.add(reason);
    this.say(reason === 'earlier' ? 'You can edit the mask now.' :
      'Saving replaces the other mask.');
  }

  takeBack() {
    this.isLocked = false;
    this.saver.agreed.add('taken');
    this.saver.draft().then(() => this.saver.agreed.delete('taken'));
    this.refresh();
  }

  takeOver() {
    if (!this.isLocked) return;
    if (this.mask?.isChanged) this.takeBack();
    else this.open(this.index, 'taken');
  }
}
