// What is drawn with: the canvas, the tools, and the edits of the mask with undo.
import {askRuns} from './api.js';
import {Layer} from './layer.js';
import {Mask} from './mask.js';
import {Outline} from './outline.js';
import {markChosen, showImage} from './panels.js';
import {Pen} from './pen.js';
import {listen} from './pointer.js';
import {clamp, decodeRuns} from './raster.js';
import {Saver} from './saving.js';
import {Box, Brush, Lasso, Polygon} from './tools.js';
import {View} from './view.js';

const COLOURS = [[255, 140, 0], [64, 156, 255], [186, 104, 255], [255, 92, 138],
                 [120, 200, 40], [0, 190, 170], [240, 215, 0], [160, 120, 90]];
const ALPHA = 125;
const HINTS = {
  'outline box': 'Drag a box around the object: its outline comes.',
  'outline stroke': 'Draw a stroke over the object: its outline comes.',
  brush: 'Paint the object. [ and ] change the size, the right button erases.',
  lasso: 'Drag around the object.',
  polygon: 'Click the corners, and the first one again; drag corners to move them. Enter ' +
    'takes the shape.',
  box: 'Drag a box, and its corners to move them. Enter takes the shape.',
};

// App, which extends this, has: overview, index, facts, status, say(), sayError(),
// connection
export class Editor {
  erase = false;
  invert = false;           // the right mouse button is held
  label = 1;
  brush = 0.012;            // radius as a fraction of the image's diagonal
  toolName = 'outline';

  constructor(overview, canvas) {
    this.overview = overview;
    const count = Math.max(1, overview.classes.length);
    this.colours = Array.from({length: count}, (_, i) => [...COLOURS[i % 8], ALPHA]);
    this.view = new View(canvas, c => this.drawTool(c));
    this.tools = {brush: new Brush(this), lasso: new Lasso(this), box: new Box(this),
                  polygon: new Polygon(this), outline: new Outline(this)};
    this.pen = new Pen(this);
    this.saver = new Saver(this);
    listen(this);
  }

  // The mask of another image, over its bitmap
  show({width, height}, runs, bitmap) {
    this.layer = new Layer(width, height, () => this.mask.labels, this.colours);
    this.mask = new Mask(width, height, runs, rect => {
      this.layer.update(rect);
      this.view.redraw(rect);
    });
    this.saver.opened(this.facts.draft);
    Object.values(this.tools).forEach(tool => tool.cancel());
    this.tools.outline.opened(this.mask);
    this.layer.update({left: 0, top: 0, right: width, bottom: height});
    this.view.show(bitmap, width, height, [this.layer, this.tools.outline.layer]);
  }

  get tool() { return this.tools[this.toolName]; }
  get isErasing() { return this.erase !== this.invert; }
  get value() { return this.isErasing ? 0 : this.label; }
  get radius() { return this.brush * Math.hypot(this.mask.width, this.mask.height); }
  get waitsKey() { return `waits ${this.overview.masks} ${this.overview.names[this.index]}`; }

  choose(name, start) {
    if (this.mask && this.tool !== this.tools[name]) {
      if (this.tool.waits) this.commit();
      else this.tool.cancel();  // a suggestion that nobody took is not drawn
    }
    this.toolName = name;
    if (start) this.tool.start = start;
    this.hint();
    this.suggest();
    this.refresh();
  }

  suggest() {
    if (this.mask?.isEmpty && this.toolName === 'outline' && this.facts.mine) {
      this.tool.suggest(this.facts.boxes);
    }
  }

  hint() {
    this.say(HINTS[this.toolName] || HINTS[`outline ${this.tool.start}`]);
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
    else if (this.facts.earlier && !this.saver.agreed.has('earlier')) {
      this.connection.refused('earlier');
    }
    else return true;
    return false;
  }

  commit() {
    const done = this.tool.commit();
    if (done && !this.tool.isAsking) this.hint();
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
    const from = this.lastSaved ?? this.status.states.lastIndexOf('d', this.index - 1);
    if (from < 0) return this.say('No image before has a mask.');
    if (!this.canEdit()) return;
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

  zoom(factor) { this.view.zoom(factor, this.view.centre); }
  pan(dx, dy) { this.view.pan(80 * dx, 80 * dy); }

  toggleMask() {
    if (this.layer) this.layer.isShown = !this.layer.isShown;
    this.view.redraw();
  }

  drawTool(c) {
    if (!this.mask) return;
    this.tool.draw(c);
    this.pen.draw(c);
  }

  refresh() {
    if (this.index === undefined) return;
    showImage(this);
    markChosen(this);
    this.view.invalidate();
  }
}
