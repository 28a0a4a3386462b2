// Which host this page has.
import type { Platform } from './types';

declare const __MOCK__: boolean;

export async function choose(): Promise<Platform> {
  if (__MOCK__) {
    const state = new URLSearchParams(location.search).get('mock');
    if (state !== null) return (await import('./mock')).mock(state);
  }
  if ('__TAURI_INTERNALS__' in window) return (await import('./desktop')).desktop();
  return (await import('./browser')).browser();
}
