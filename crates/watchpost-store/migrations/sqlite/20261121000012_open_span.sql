-- Each batch asks which spans are open.
CREATE INDEX incident_span_by_reach ON incident_span (reach, entity_key);
