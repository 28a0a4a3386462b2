// The page around the socket: what it shows is text, never markup.
import { Socket } from './socket.js';

const MOST_LINES = 200;
const by = (id) => document.getElementById(id);
const number = (id) => Number(by(id).value);
const counts = { events: 0, updates: 0, errors: 0, connections: 0, bytes: 0 };
let socket, since, last, longest = 0;

function element(tag, text) {
    const made = document.createElement(tag);
    made.textContent = text;
    return made;
}

function fill(id, rows) {
    by(id).replaceChildren(...rows.flatMap(([name, value]) => [element('dt', name), element('dd', String(value))]));
}

function log(name, value) {
    const text = value === undefined ? '' : JSON.stringify(value);
    const line = element('li', `${new Date().toLocaleTimeString()} ${name} ${text.slice(0, 400)}`);
    line.dataset.event = name;
    by('log').prepend(line);
    while (by('log').children.length > MOST_LINES) by('log').lastChild.remove();
}

function state(word) {
    by('state').textContent = word;
    by('state').dataset.state = word.split(' ')[0];
}

function statistics() {
    fill('statistics', [
        ['Events', counts.events],
        ['Updates', counts.updates],
        ['Errors', counts.errors],
        ['Connections', counts.connections],
        ['Received, about', `${(counts.bytes / 1024).toFixed(1)} KiB`],
        ['Connected for', since ? `${Math.round((Date.now() - since) / 1000)} s` : 'not connected'],
        ['Last update', last ? `${((Date.now() - last) / 1000).toFixed(0)} s ago` : 'none'],
        ['Longest time between updates', `${(longest / 1000).toFixed(1)} s`],
    ]);
}

function show({ overview, sessions, activity, timestamp }) {
    const { tasks, costs, claude_api: api, tools } = overview;
    fill('metrics', [
        ['Tasks', `${tasks.total} (${tasks.running} running, ${tasks.completed} completed, ${tasks.failed} failed)`],
        ['Cost', `$${costs.total_cost.toFixed(4)}${costs.estimated ? ' (partly estimated)' : ''}`],
        ['Haiku, Sonnet', `$${costs.haiku_cost.toFixed(4)}, $${costs.sonnet_cost.toFixed(4)}`],
        ['Requests', api.total_requests],
        ['Tokens', `${api.total_input_tokens} in, ${api.total_output_tokens} out`],
        ['Tool calls', tools.total_calls],
        ['Sessions', sessions.total_sessions],
        ['As of', new Date(timestamp * 1000).toLocaleTimeString()],
    ]);
    by('tools').replaceChildren(...Object.entries(tools.by_type).map(([name, calls]) => element('li', `${name}: ${calls}`)));
    by('activity').replaceChildren(...activity.map((item) =>
        element('li', `${new Date(item.timestamp * 1000).toLocaleTimeString()} ${item.description}`)));
}

function connect() {
    socket?.close();
    state('connecting');
    const mine = new Socket(by('namespace').value, by('token').value);
    const live = (act) => (value) => { if (mine === socket) act(value); };
    mine.on('connect', live(() => { counts.connections += 1; since = Date.now(); state('connected'); }))
        .on('connecting', live(() => state('connecting')))
        .on('disconnect', live((reason) => { since = undefined; state(`disconnected (${reason})`); }))
        .on('connect_error', live((why) => { counts.errors += 1; state(`refused (${why})`); }))
        .on('waiting', live((wait) => state(`disconnected (again in ${wait / 1000} s)`)))
        .on('error', live(() => { counts.errors += 1; }))
        .on('metrics_update', live((update) => {
            counts.updates += 1;
            if (last) longest = Math.max(longest, Date.now() - last);
            last = Date.now();
            show(update);
        }))
        .on('*', (name, value) => {
            if (mine !== socket) return;
            counts.events += 1;
            counts.bytes += value === undefined ? 0 : JSON.stringify(value).length;
            log(name, value);
            statistics();
        });
    socket = mine;
    mine.open();
}

function emit(name, ...values) {
    if (socket?.emit(name, ...values)) log(`> ${name}`, values[0]);
    else log('not connected', name);
}

const actions = {
    connect,
    disconnect: () => socket?.close(),
    subscribe: () => emit('subscribe', { hours: number('hours'), update_interval: number('interval'), binary: by('binary').checked }),
    unsubscribe: () => emit('unsubscribe'),
    refresh: () => emit('request_refresh', { hours: number('hours') }),
    'set-interval': () => emit('set_interval', { interval: number('interval') }),
    join: () => emit(`subscribe_${by('room').value}`),
    leave: () => emit(`unsubscribe_${by('room').value}`),
    history: () => emit('request_history', { hours: number('hours') }),
    clear: () => by('log').replaceChildren(),
};
for (const [id, act] of Object.entries(actions)) by(id).addEventListener('click', act);
by('controls').addEventListener('submit', (event) => event.preventDefault());
setInterval(statistics, 1000);
statistics();
connect();
