// What the server says: the state of all images, other tabs, a lost connection.
import {ask, askJson} from './api.js';
import {paragraph, show} from './dialog.js';
import {showProgress} from './panels.js';

const POLL = 3000;  // milliseconds

export class Connection {
  constructor(app) {
    this.app = app;
    setInterval(() => this.poll(), POLL);
    addEventListener('pagehide', () => {
      app.saver.leavePage();
      // the image is free for other tabs
      ask('status', {keepalive: true}).catch(() => {});
    });
    addEventListener('beforeunload', event => {
      if (this.isOffline && app.saver.isDirty) event.preventDefault();
    });
  }

  async poll() {
    const {app} = this;
    if (app.isEnded) return;
    try {
      const {index} = app, wasOffline = this.isOffline;
      app.status = await askJson('status', {index: index ?? ''});
      this.setOffline('');
      app.thumbnails.update(app.status.states, app.status.drafts);
      showProgress(app.status);
      if (wasOffline && index !== undefined && !app.mask) return app.open(index);
      if (!app.mask || index !== app.index) return;
      if (!app.status.mine && !app.isLocked) this.refused('taken');
      else if (app.status.mine && app.isLocked && !app.mask.isChanged) {
        await app.open(index);
      } else if (app.saver.isDirty && !app.isLocked) await app.saver.draft();
    } catch (error) {
      app.sayError(error);
    }
  }

  setOffline(reason) {
    const element = document.getElementById('offline');
    this.isOffline = Boolean(reason);
    element.hidden = !reason;
    element.textContent = `No connection: ${reason}. What you draw stays in this ` +
      'tab and is saved when the server is back. If it was started anew, open the new ' +
      'address in this browser once.';
  }

  // Nothing was written; a person decides
  refused(reason) {
    const {app} = this;
    const load = ['r', 'Load the other', () => app.open(app.index)];
    if (reason === 'taken') {
      app.isLocked = true;
      app.refresh();
      if (!app.mask.isChanged) {
        return app.say('Another tab draws on this image. T takes it over.');
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
    this.app.saver.agreed.add(reason);
    this.app.say(reason === 'earlier' ? 'You can edit the mask now.' :
      'Saving replaces the other mask.');
  }

  takeBack() {
    const {app} = this, {agreed} = app.saver;
    app.isLocked = false;
    agreed.add('taken');
    app.saver.draft().then(() => agreed.delete('taken'));
    app.refresh();
  }

  takeOver() {
    const {app} = this;
    if (!app.isLocked) return;
    if (app.mask?.isChanged) this.takeBack();
    else app.open(app.index, 'taken');
  }
}
