//! Tests of the formula language, on one small scenario.

mod abreast;
mod bounds;
mod checks;
mod code;
mod definitions;
mod fixture;
mod reference;
mod roles;
mod syntax;
mod values;
