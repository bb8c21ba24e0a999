//! The operations through their public door; the layers below composed as the product composes them.

mod door;
mod real_logs;
mod response;
mod simulation;
