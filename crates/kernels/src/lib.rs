//! Fast operations for flex, Burn's CPU backend: each takes and gives Burn's
//! tensors, computes with our own code on flex and with Burn's own operation
//! on every other backend. It knows no layer, no network and no optimizer.

mod place;

pub use place::on_flex;
