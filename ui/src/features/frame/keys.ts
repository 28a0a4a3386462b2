// The keys that work anywhere in the window but in a field, a dialog or on a control of their own.
import { VIEWS, type ViewName } from '../views';

export interface Hands {
  step(by: number): void;
  details(): void;
  close(): void;
  search(): void;
  follow(): void;
  pause(): void;
  requests(): void;
  view(name: ViewName): void;
  help(): void;
}

function takesKeys(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.matches('input, textarea, select') || target.closest('dialog') !== null;
}

/** Whether the key was for the window. */
export function press(event: KeyboardEvent, hands: Hands): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || takesKeys(event.target)) return false;
  const onButton = event.target instanceof HTMLElement && event.target.closest('button, summary, [role=tab]') !== null;
  switch (event.key) {
    case 'j':
      hands.step(1);
      return true;
    case 'k':
      hands.step(-1);
      return true;
    case 'Enter':
      if (onButton) return false;
      hands.details();
      return true;
    case ' ':
      if (onButton || event.repeat) return false;
      hands.pause();
      return true;
    case 'Escape':
      hands.close();
      return true;
    case '/':
      hands.search();
      return true;
    case 'f':
      hands.follow();
      return true;
    case 'w':
      hands.requests();
      return true;
    case '?':
      hands.help();
      return true;
    default: {
      const view = VIEWS[Number(event.key) - 1];
      if (!/^[1-9]$/.test(event.key) || !view) return false;
      hands.view(view.name);
      return true;
    }
  }
}
