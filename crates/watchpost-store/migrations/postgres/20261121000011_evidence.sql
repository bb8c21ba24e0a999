-- Evidence counts and samples events by category and by account. Requests are by far the most and no evidence of a control by
-- themselves: they are left out, and writing them costs nothing more.
CREATE INDEX event_by_category ON event (category, at, id, outcome) WHERE category <> 'api_usage';
CREATE INDEX event_by_account ON event (category, actor, outcome, at) WHERE category <> 'api_usage';
