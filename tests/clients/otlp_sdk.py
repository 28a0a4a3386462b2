"""What an instrumented agent exports, through the OpenTelemetry SDK for Python.

    python otlp_sdk.py URL gzip|none SESSION

Exports one batch of each signal and prints {"exported": [LOGS, SPANS, METRICS]}, each true when the exporter says so.
"""

import json
import sys

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

url, packing, session = sys.argv[1:4]
packing = Compression.Gzip if packing == "gzip" else Compression.NoCompression
resource = Resource.create({"service.name": "py-agent"})

# A long wait: only what is asked for is exported.
logs = LoggerProvider(resource=resource)
logs.add_log_record_processor(
    BatchLogRecordProcessor(OTLPLogExporter(f"{url}/v1/logs", compression=packing), schedule_delay_millis=600_000)
)
logger = logs.get_logger("py-agent.events")
logger.emit(
    LogRecord(
        timestamp=1_795_256_708_000_000_000,
        severity_number=SeverityNumber.INFO,
        body="paid",
        event_name="cart.checkout",
        attributes={"gen_ai.conversation.id": session, "items": [1, 2.5, "three"], "nested": {"a": {"b": True}}},
    )
)

spans = TracerProvider(resource=resource)
spans.add_span_processor(
    BatchSpanProcessor(OTLPSpanExporter(f"{url}/v1/traces", compression=packing), schedule_delay_millis=600_000)
)
tracer = spans.get_tracer("py-agent")
with tracer.start_as_current_span("invoke_agent py-agent") as agent:
    agent.set_attributes({"gen_ai.operation.name": "invoke_agent", "gen_ai.conversation.id": session})
    with tracer.start_as_current_span("chat claude-sonnet-4-5") as chat:
        chat.set_attributes(
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.request.model": "claude-sonnet-4-5",
                "gen_ai.usage.input_tokens": 1000,
                "gen_ai.usage.output_tokens": 200,
            }
        )
    with tracer.start_as_current_span("execute_tool get_weather") as call:
        call.set_attributes(
            {
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": "get_weather",
                "gen_ai.tool.call.id": "call_py",
                "gen_ai.tool.call.arguments": json.dumps({"city": "Zürich"}),
                "gen_ai.tool.call.result": "rain",
            }
        )
    with tracer.start_as_current_span("GET /weather"):
        pass

reader = PeriodicExportingMetricReader(
    OTLPMetricExporter(f"{url}/v1/metrics", compression=packing), export_interval_millis=600_000
)
meters = MeterProvider(resource=resource, metric_readers=[reader])
tokens = meters.get_meter("py-agent").create_histogram("gen_ai.client.token.usage", unit="{token}")
for kind, count in (("input", 1000), ("output", 200)):
    tokens.record(
        count,
        {
            "gen_ai.token.type": kind,
            "gen_ai.request.model": "claude-sonnet-4-5",
            "gen_ai.operation.name": "chat",
            "gen_ai.conversation.id": session,
        },
    )

exported = [bool(provider.force_flush(60_000)) for provider in (logs, spans, meters)]
print(json.dumps({"exported": exported}), flush=True)
# Whoever reads this ends it: the SDK's own shutdown would export once more.
sys.stdin.read()
