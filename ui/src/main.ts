// Starts the page: finds its host, mounts the window, and says so plainly when that fails.
import './styles/tokens.css';
import './styles/ansi.css';
import './styles/base.css';
import { mount } from 'svelte';
import App from './App.svelte';
import { choose } from './platform/choose';
import { Hub } from './state/hub.svelte';
import { reasonOf } from './stream/read';
import { View } from './state/view.svelte';
import { Waiting } from './state/waiting.svelte';

const target = document.getElementById('app');
if (!target) throw new Error('the page has no #app');

try {
  const hub = new Hub(await choose());
  const view = new View(hub);
  const waiting = new Waiting(hub);
  const mind = (error: unknown): void => hub.fault('This window', error);
  addEventListener('error', ({ error, message }) => {
    // A browser says so when a size changes while sizes are watched; nothing is lost by it.
    if (!message.startsWith('ResizeObserver loop')) mind(error ?? message);
  });
  addEventListener('unhandledrejection', ({ reason }) => mind(reason));
  mount(App, { target, props: { hub, view, waiting } });
  void hub.start();
} catch (error) {
  target.textContent = `Countersign's window could not start: ${reasonOf(error)}`;
}
