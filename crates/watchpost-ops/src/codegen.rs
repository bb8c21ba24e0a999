//! TypeScript bindings of the operations and of every type they use, generated from the list.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::fmt::Write;

use ts_rs::{Config, TS, TypeVisitor};

use crate::contract::{Tag, WorkspaceStatus};
use crate::door::{OPERATIONS, Operation, OperationVisitor, visit_operations};
use crate::error::OpError;
use crate::live::LiveBatch;

const HEADER: &str = "// Generated from the list of operations by `cargo xtask codegen`. Do not edit.\n\n";

/// The generated files: path below `ui/src/generated`, content.
#[must_use]
pub fn typescript() -> Vec<(String, String)> {
    let config = Config::new().with_large_int("number");
    let mut types = Types { config: &config, seen: BTreeMap::new(), done: Vec::new() };
    let mut rows = Rows { types: &mut types, interface: String::new() };
    visit_operations(&mut rows);
    let interface = rows.interface;
    types.add::<OpError>();
    types.add::<LiveBatch>();
    types.add::<WorkspaceStatus>();
    types.add::<Tag>();

    let mut model = String::from(HEADER);
    for declaration in types.seen.values() {
        let _ = writeln!(model, "export {declaration}\n"); // Writing to a String cannot fail.
    }
    let mut operations = String::from(HEADER);
    operations.push_str("import type * as model from './model';\n\n");
    let _ = write!(operations, "export interface Operations {{\n{interface}}}\n\n");
    operations.push_str("export type OperationName = keyof Operations;\n\n");
    operations.push_str(
        "export interface OperationSpec {\n  permission: string;\n  effect: 'read' | 'local' | 'check' | 'change';\n  \
         check_if?: string;\n  provides: readonly model.Tag[];\n  invalidates: readonly model.Tag[];\n}\n\n",
    );
    operations.push_str("export const operations: Readonly<Record<OperationName, OperationSpec>> = {\n");
    // What an operation does stands above its types: the page shows it nowhere and would load it at each start.
    for spec in OPERATIONS {
        let tags = |tags: &[Tag]| tags.iter().map(|tag| format!("'{tag}'")).collect::<Vec<_>>().join(", ");
        let check_if =
            spec.check_if.map_or_else(String::new, |member| format!("\n    check_if: '{member}',"));
        let _ = writeln!(
            operations,
            "  {}: {{\n    permission: '{}',\n    effect: '{}',{check_if}\n    provides: [{}],\n    invalidates: [{}],\n  }},",
            spec.name,
            spec.permission,
            spec.effect,
            tags(spec.provides),
            tags(spec.invalidates),
        );
    }
    operations.push_str("};\n");
    vec![("model.ts".to_owned(), model), ("operations.ts".to_owned(), operations)]
}

struct Types<'a> {
    config: &'a Config,
    seen: BTreeMap<String, String>,
    done: Vec<TypeId>,
}

impl Types<'_> {
    fn add<T: TS + 'static + ?Sized>(&mut self) {
        if self.done.contains(&TypeId::of::<T>()) {
            return;
        }
        self.done.push(TypeId::of::<T>());
        if T::output_path().is_some() {
            let (name, declaration) = (T::ident(self.config), T::decl(self.config));
            let before = self.seen.insert(name.clone(), declaration.clone());
            // Two types under one name: the one that comes last would win silently.
            assert!(
                before.is_none_or(|before| before == declaration),
                "two types are called {name}; rename one for TypeScript"
            );
        }
        T::visit_dependencies(self);
        T::visit_generics(self);
    }
}

impl TypeVisitor for Types<'_> {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        self.add::<T>();
    }
}

struct Rows<'a, 'b> {
    types: &'a mut Types<'b>,
    interface: String,
}

impl OperationVisitor for Rows<'_, '_> {
    fn visit<O: Operation>(&mut self) {
        self.types.add::<O::Request>();
        self.types.add::<O::Reply>();
        let (request, reply) = (O::Request::name(self.types.config), O::Reply::name(self.types.config));
        let _ = writeln!(
            self.interface,
            "  /** {} */\n  {}: {{ request: model.{request}; reply: model.{reply} }};",
            O::SPEC.about,
            O::SPEC.name,
        );
    }
}
