// Drafts after each edit and masks when an image is left; both wait for a lost server.
import {ask, askJson, Offline, Problem, Refused} from './api.js';
import {writeSteps} from './steps.js';

const MOST_STEPS = 500_000;  // characters
const KEEPALIVE = 60_000;    // bytes that a browser sends for a page that goes away

export class Saver {
  // app has index, mask, facts, connection, refresh() and sayError(error)
  constructor(app) {
    this.app = app;
    this.agreed = new Set();  // what a person agreed to replace, of this image
    this.isDirty = false;     // the draft on the server is older than the mask
    this.isKept = false;      // the server has a draft
  }

  opened(isKept = false) {
    this.agreed.clear();
    this.isDirty = false;
    this.isKept = isKept;
  }

  get query() {
    return {revision: this.app.facts.revision, agreed: [...this.agreed].join()};
  }

  // One draft at a time is on its way; an edit meanwhile makes one more.
  async draft() {
    this.isDirty = true;
    if (this.isSending) return;
    this.isSending = true;
    try {
      while (this.isDirty && this.app.mask) {
        this.isDirty = false;
        await this.send();
      }
    } catch (error) {
      this.isDirty = true;
      if (error instanceof Refused) this.app.connection.refused(error.reason);
      else this.app.sayError(error);
    } finally {
      this.isSending = false;
    }
  }

  async send(keepalive = false) {
    const {index, mask} = this.app, {runs} = mask;
    const steps = writeSteps(
      mask, keepalive ? KEEPALIVE - runs.byteLength : MOST_STEPS);
    this.isKept = true;
    await ask(`draft/${index}`, {
      method: 'PUT', body: new Blob([runs, steps]), runs: runs.byteLength, keepalive,
      ...this.query});
  }

  // The image is left as it was: the draft has nothing but steps
  async forget() {
    while (this.isSending) await new Promise(done => setTimeout(done, 20));
    if (!this.isKept) return;
    await ask(`draft/${this.app.index}`, {method: 'DELETE'}).catch(
      error => this.app.sayError(error));
  }

  // The page goes away: what is not on the server yet goes now.
  leavePage() {
    if (this.isDirty && this.app.mask) this.send(true).catch(() => {});
  }

  // true if the mask is on the disk
  async save() {
    const {app} = this, {index, mask} = app;
    while (this.isSending) await new Promise(done => setTimeout(done, 20));
    try {
      const {revision} = await askJson(`mask/${index}`, {
        method: 'PUT', body: mask.runs, ...this.query});
      app.facts.revision = revision;
      app.lastSaved = index;
      app.facts.earlier = false;
      this.opened();
      mask.markSaved();
      app.refresh();
      return true;
    } catch (error) {
      if (error instanceof Refused) app.connection.refused(error.reason);
      else if (error instanceof Offline || error instanceof Problem) app.sayError(error);
      else throw error;
      return false;
    }
  }
}
