// The desktop's host: Tauri commands and one channel. The only file that imports @tauri-apps.
import { Channel, invoke } from '@tauri-apps/api/core';
import { listen } from '@tauri-apps/api/event';
import type { Approval } from '../generated/Approval';
import type { Connection } from '../generated/Connection';
import type { ConnectionChange } from '../generated/ConnectionChange';
import type { Finding } from '../generated/Finding';
import type { HubStatus } from '../generated/HubStatus';
import type { Rule } from '../generated/Rule';
import type { SessionView } from '../generated/SessionView';
import { reasonOf } from '../stream/read';
import { PlatformError, type Answer, type Batch, type FailureCode, type HistoryRange, type Page, type Platform, type PlatformSignal, type SessionName, type StreamReader } from './types';

const CODES: Record<string, FailureCode> = { resolved: 'resolved', forbidden: 'forbidden', not_found: 'not_found', unreachable: 'unreachable' };

async function call<T>(command: string, args: Record<string, unknown> = {}): Promise<T> {
  try {
    return await invoke<T>(command, args);
  } catch (error) {
    const said = (typeof error === 'object' && error !== null ? error : {}) as { code?: string; message?: string; approval?: Approval };
    throw new PlatformError(CODES[said.code ?? ''] ?? 'failed', said.message ?? String(error), said.approval);
  }
}

interface Follow {
  id: number;
  epoch: string;
  head: number;
}

export function desktop(): Platform {
  return {
    name: 'desktop',
    // The shell asks in a native dialog.
    can: { answer: true, modal: false },
    status: () => call<HubStatus>('status'),
    sessions: () => call<SessionView[]>('sessions'),
    approvals: (status) => call<Approval[]>('approvals', status ? { status } : {}),
    approval: (id) => call<Approval>('approval', { id }),
    decide: (id, answer: Answer) => call<Approval>('decide', { id, ...answer }),
    stopSession: (name: SessionName, message) => call<SessionView>('stop_session', { ...name, ...(message ? { message } : {}) }),
    resumeSession: (name: SessionName) => call<SessionView>('resume_session', { ...name }),
    rules: () => call<Rule[]>('rules'),
    revokeRule: (id) => call<void>('revoke_rule', { id }),
    history: (range: HistoryRange) => call<Page>('history', { ...range }),
    metrics: (hours) => call<unknown>('metrics', { hours }),
    addUpstream: async (upstream) => void (await call('add_upstream', { upstream })),
    removeUpstream: async (name) => void (await call('remove_upstream', { name })),
    retryWebhook: async (name) => void (await call('retry_webhook', { name })),
    connections: (project) => call<Connection[]>('connections', { project }),
    connectAgent: (agent, wish) => call<ConnectionChange>('connect_agent', { agent, wish }),
    disconnectAgent: (agent, dryRun, project) => call<ConnectionChange>('disconnect_agent', { agent, dryRun, project }),
    examineAgent: (agent, fix, project) => call<Finding[]>('examine_agent', { agent, fix, project }),
    stream,
    watch,
  };
}

const RETRY_MS = 1_000;

function stream(since: string, reader: StreamReader): () => void {
  let ended = false;
  let place = since;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let unfollow: () => void = () => undefined;

  const start = (): void => {
    let over = false;
    let follow: Follow | undefined;
    // A batch may arrive before the command that asked for it has answered.
    const early: Batch[] = [];
    const fail = (error: unknown): void => {
      if (ended || over) return;
      unfollow();
      reader.closed(reasonOf(error));
      retry = setTimeout(start, RETRY_MS);
    };
    const take = async (id: number, batch: Batch): Promise<void> => {
      await reader.batch(batch);
      place = `${batch.epoch}:${batch.to}`;
      if (!over) await call('pulled', { id, to: batch.to });
    };
    const channel = new Channel<Batch>();
    channel.onmessage = (batch) => {
      if (over) return;
      if (follow) take(follow.id, batch).catch(fail);
      else early.push(batch);
    };
    unfollow = () => {
      over = true;
      if (follow) call('unfollow', { id: follow.id }).catch(() => undefined);
    };
    call<Follow>('follow', { since: place, channel })
      .then(async (at) => {
        follow = at;
        if (over) return unfollow();
        reader.opened(at);
        for (const batch of early.splice(0)) await take(at.id, batch);
      })
      .catch(fail);
  };
  start();

  return () => {
    ended = true;
    clearTimeout(retry);
    unfollow();
  };
}

function watch(listener: (signal: PlatformSignal) => void): () => void {
  const ends = [
    listen<{ id: string; edit: boolean }>('show-approval', ({ payload }) => listener({ type: 'show_approval', ...payload })),
    listen<HubStatus>('status', ({ payload }) => listener({ type: 'status', status: payload })),
  ];
  for (const end of ends) end.catch((error: unknown) => listener({ type: 'fault', what: 'What the program says unasked', why: reasonOf(error) }));
  return () => {
    for (const end of ends) end.then((stop) => stop(), () => undefined);
  };
}
