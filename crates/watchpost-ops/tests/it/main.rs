//! The operations through their public door; the layers below composed as the product composes them.

mod door;
mod incidents;
mod real_logs;
mod response;
mod simulation;
