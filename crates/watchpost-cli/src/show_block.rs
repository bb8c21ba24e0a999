//! Blocks as tables or as JSON.

use watchpost_model::block::{Block, BlockPreview};
use watchpost_model::text::visible;
use watchpost_ops::contract::{BlockList, BlockStanding};

use crate::args::Output;
use crate::output::{at, line, table};
use crate::show::{either, or_dash};

fn block_cells(block: &Block) -> [String; 6] {
    [
        block.target.to_string(),
        block.state.to_string(),
        at(block.expires_at),
        block.reason.clone(),
        block.created_by.clone(),
        at(block.created_at),
    ]
}

const BLOCK: [&str; 6] = ["TARGET", "STATE", "UNTIL", "REASON", "BY", "SINCE"];

pub(crate) fn block(form: Output, block: &Block) -> anyhow::Result<()> {
    either(form, block, || table(BLOCK, [block_cells(block)]))
}

pub(crate) fn blocks(form: Output, list: &BlockList) -> anyhow::Result<()> {
    either(form, list, || {
        table(BLOCK, list.blocks.iter().map(|row| block_cells(&row.block)))?;
        line("\nnever blocked")?;
        table(
            ["TARGET", "WHY", "BY"],
            list.allowlist
                .iter()
                .map(|entry| [entry.target.to_string(), entry.note.clone(), entry.added_by.clone()])
                .chain(
                    list.own_addresses.iter().map(|own| {
                        [own.clone(), "this machine or a server in use".to_owned(), String::new()]
                    }),
                ),
        )
    })
}

pub(crate) fn block_preview(form: Output, preview: &BlockPreview) -> anyhow::Result<()> {
    either(form, preview, || {
        let existing = preview.existing.as_ref().map_or_else(
            || "none".to_owned(),
            |block| format!("{} ({})", at(block.expires_at), block.target),
        );
        table(
            ["", ""],
            [
                ["target".to_owned(), preview.target.to_string()],
                ["refused".to_owned(), or_dash(preview.refusal.as_ref())],
                ["events in 24 h".to_owned(), preview.events_24h.to_string()],
                ["of these not failed".to_owned(), preview.successful_24h.to_string()],
                ["users in 24 h".to_owned(), preview.users_24h.join(", ")],
                ["blocked until".to_owned(), existing],
            ],
        )
    })
}

pub(crate) fn standing(form: Output, standing: &BlockStanding) -> anyhow::Result<()> {
    either(form, standing, || {
        let in_redis = match (standing.in_redis, standing.redis_ttl_s) {
            (None, _) => "Redis does not answer".to_owned(),
            (Some(false), _) => "no".to_owned(),
            (Some(true), None) => "yes, without end".to_owned(),
            (Some(true), Some(ttl)) => format!("yes, for {ttl} s"),
        };
        let named: Vec<String> = standing.inside.iter().map(ToString::to_string).collect();
        let inside = match standing.inside_total - named.len() as u64 {
            0 if named.is_empty() => "-".to_owned(),
            0 => named.join(", "),
            more => format!("{} and {more} more", named.join(", ")),
        };
        table(
            ["", ""],
            [
                ["target".to_owned(), standing.target.to_string()],
                ["standing".to_owned(), standing.standing.to_string()],
                ["why".to_owned(), visible(&standing.detail, 400)],
                [
                    "block".to_owned(),
                    standing.block.as_ref().map_or_else(|| "-".to_owned(), |b| b.id.to_string()),
                ],
                ["key".to_owned(), or_dash(standing.key.as_ref())],
                ["in Redis".to_owned(), in_redis],
                ["inside".to_owned(), inside],
            ],
        )
    })
}
