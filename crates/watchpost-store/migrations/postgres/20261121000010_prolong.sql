-- A block that prolongs another is pending while the other one still holds: one of each for a target.
DROP INDEX block_in_force;
CREATE UNIQUE INDEX block_in_force ON block (target, state) WHERE state IN ('pending', 'active');
DROP INDEX containment_in_force;
CREATE UNIQUE INDEX containment_in_force ON containment (kind, target, state) WHERE state IN ('pending', 'active');
