-- The order of the queue by urgency: most severe first, of those the one whose clock runs out first.
CREATE INDEX incident_by_urgency ON incident (severity DESC, due, number DESC);
