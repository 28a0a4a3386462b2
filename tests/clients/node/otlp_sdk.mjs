// What an instrumented agent exports, through the OpenTelemetry SDK for JavaScript.
//
//     node otlp_sdk.mjs URL proto|json gzip|none SESSION
//
// Exports one batch of each signal and prints {"exported": true} once the exporters are done.
import { context, trace, SpanStatusCode } from '@opentelemetry/api';
import { SeverityNumber } from '@opentelemetry/api-logs';
import { OTLPLogExporter as JsonLogs } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter as ProtoLogs } from '@opentelemetry/exporter-logs-otlp-proto';
import { OTLPMetricExporter as JsonMetrics } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as ProtoMetrics } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter as JsonTraces } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtoTraces } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { AggregationTemporality, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';

const [url, encoding, compression, session] = process.argv.slice(2);
const [Logs, Traces, Metrics] = encoding === 'proto' ? [ProtoLogs, ProtoTraces, ProtoMetrics] : [JsonLogs, JsonTraces, JsonMetrics];
const resource = resourceFromAttributes({ 'service.name': 'claude-code', 'service.version': '0' });
const to = (path) => ({ url: `${url}${path}`, compression });

const logs = new LoggerProvider({ resource, processors: [new BatchLogRecordProcessor({ exporter: new Logs(to('/v1/logs')) })] });
const common = { 'session.id': session, 'event.timestamp': '2026-11-21T10:25:08.284Z' };
let sequence = 0;
const event = (name, attributes) =>
  logs.getLogger('com.anthropic.claude_code.events').emit({
    severityNumber: SeverityNumber.INFO,
    body: `claude_code.${name}`,
    attributes: { ...common, 'event.name': name, 'event.sequence': sequence++, ...attributes },
  });
event('user_prompt', { prompt: 'say hello', prompt_length: '9', 'prompt.id': 'p1' });
event('api_request', {
  model: 'claude-haiku-4-5',
  input_tokens: 100,
  output_tokens: 20,
  cache_read_tokens: 7,
  cache_creation_tokens: 3,
  cost_usd: 0.25,
  duration_ms: 1500,
});
event('tool_decision', { tool_name: 'Bash', tool_use_id: 'toolu_1', decision: 'accept', source: 'config' });
event('tool_result', { tool_name: 'Bash', tool_use_id: 'toolu_1', success: 'true', duration_ms: '12', tool_input: '{"command":"ls"}' });

const traces = new BasicTracerProvider({ resource, spanProcessors: [new BatchSpanProcessor(new Traces(to('/v1/traces')))] });
const tracer = traces.getTracer('com.anthropic.claude_code.tracing');
const root = tracer.startSpan('claude_code.interaction', { attributes: { 'session.id': session } });
const inside = trace.setSpan(context.active(), root);
const request = { 'session.id': session, model: 'claude-haiku-4-5[1m]', input_tokens: 100, output_tokens: 20 };
tracer.startSpan('claude_code.llm_request', { attributes: request }, inside).end();
const failed = { 'session.id': session, 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'search', 'gen_ai.tool.call.id': 'toolu_2' };
const call = tracer.startSpan('execute_tool search', { attributes: failed }, inside);
call.setStatus({ code: SpanStatusCode.ERROR, message: 'no index' });
call.end();
root.end();

const exporter = new Metrics({ ...to('/v1/metrics'), temporalityPreference: AggregationTemporality.DELTA });
const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 600_000 });
const meter = new MeterProvider({ resource, readers: [reader] }).getMeter('com.anthropic.claude_code');
const model = { 'session.id': session, model: 'claude-haiku-4-5[1m]' };
meter.createCounter('claude_code.token.usage').add(100, { ...model, type: 'input' });
meter.createCounter('claude_code.cost.usage').add(0.25, model);
meter.createCounter('claude_code.session.count').add(1, { 'session.id': session });

await logs.forceFlush();
await traces.forceFlush();
await reader.forceFlush();
console.log(JSON.stringify({ exported: true }));
process.exit(0);
