//! Reads and validates the `[http]` table. Must not bind the address.

use std::net::SocketAddr;

use super::error::{FaultKind, FaultList};
use super::fields::Fields;
use super::located::LocatedTable;
use super::models::NamedModel;
use super::{Edges, Token, edges};
use crate::model::DEFAULT_MODEL;

/// The `[http]` table: access for programs and browsers.
#[derive(Clone, Debug, PartialEq)]
pub struct Http {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The token that clients must send; `None` only on a loopback address.
    pub token: Option<Token>,
    /// Host names that a browser may use for this server, besides loopback addresses and `listen` itself.
    pub hosts: Vec<String>,
    /// The model for requests that name none.
    pub model: String,
    /// The edge refinement for requests that name none.
    pub edges: Edges,
    /// The largest photo taken, in bytes.
    pub upload_max_bytes: u64,
    /// Photos that one client may send in a minute.
    pub photos_per_minute: u32,
}

/// Reads the table and adds its model to `models`; `None` if the address is absent or wrong, which is recorded as a fault.
pub(super) fn read(
    table: LocatedTable,
    models: &mut Vec<NamedModel>,
    faults: &mut FaultList,
) -> Option<Http> {
    let mut fields = Fields::new("[http]", table, faults);
    let listen = fields.take(
        "listen",
        "an address with a port, as in \"127.0.0.1:8190\"",
        |value| value.as_str()?.parse::<SocketAddr>().ok(),
    );
    let listen = fields.require("listen", listen);
    let token_file = fields.path("token_file");
    let is_open = listen.is_some_and(|address| !address.ip().is_loopback());
    if is_open && token_file.is_none() {
        fields.fault("listen", |table| FaultKind::OpenToAll { table });
    }
    let token = token_file.and_then(|file| Token::read(file, "token_file", &mut fields));
    let hosts = fields.texts("hosts").unwrap_or_default();
    let model = fields
        .text("model")
        .unwrap_or_else(|| DEFAULT_MODEL.to_owned());
    let edges = edges::read(&mut fields);
    let upload_max_bytes = fields.size("max_upload").unwrap_or(64 << 20);
    let photos_per_minute = fields.count("photos_per_minute").unwrap_or(600);
    let named = NamedModel {
        model: model.clone(),
        table: "[http]".to_owned(),
        at: fields.place_of("model"),
    };
    fields.finish();
    let listen = listen?;
    models.push(named);
    Some(Http {
        listen,
        token,
        hosts,
        model,
        edges,
        upload_max_bytes,
        photos_per_minute,
    })
}
