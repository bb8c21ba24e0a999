-- Every source of an archived event and the country that it is in, as a location file says. `basis` tells by which file
-- it was asked, so that another file asks again; '' is none.
CREATE TABLE source_place (
    source TEXT PRIMARY KEY,
    country TEXT,
    basis TEXT NOT NULL
);
CREATE INDEX source_place_by_country ON source_place (country, source);
CREATE INDEX source_place_by_basis ON source_place (basis, source);
INSERT INTO source_place (source, country, basis) SELECT DISTINCT source_ip, NULL, '' FROM event WHERE source_ip IS NOT NULL;

-- What happened to incidents in a period, and the page of one from the newest line back.
CREATE INDEX incident_timeline_by_time ON incident_timeline (at, incident_id);
CREATE INDEX incident_timeline_of_incident ON incident_timeline (incident_id, at, n);
