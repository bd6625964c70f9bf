//! The types that `dsntk` is told, so that it computes with what was judged.

use crate::feel::Type;

/// Writes the item definition of a type where it needs one; gives the reference to it.
pub(super) fn item(ty: &Type, name: &str, prefix: &str, out: &mut String) -> Option<String> {
    fn simple(ty: &Type) -> Option<&'static str> {
        Some(match ty {
            Type::Boolean => "boolean",
            Type::Number => "number",
            Type::String | Type::Enum(_) => "string",
            Type::Date => "date",
            _ => return None,
        })
    }
    fn write(ty: &Type, name: &str, tag: &str, prefix: &str, out: &mut String) {
        let (ty, many) = match ty {
            Type::List(item) => (&**item, " isCollection=\"true\""),
            other => (other, ""),
        };
        out.push_str(&format!("<{prefix}{tag} name=\"{name}\"{many}>"));
        match ty {
            Type::Context(parts) => {
                for (part, ty) in parts {
                    write(ty, part, "itemComponent", prefix, out);
                }
            }
            other => out.push_str(&format!(
                "<{prefix}typeRef>{}</{prefix}typeRef>",
                simple(other).unwrap_or("Any")
            )),
        }
        out.push_str(&format!("</{prefix}{tag}>"));
    }
    match ty {
        Type::Context(parts) if parts.is_empty() => None,
        Type::Context(_) | Type::List(_) => {
            write(ty, name, "itemDefinition", prefix, out);
            Some(name.to_owned())
        }
        other => simple(other).map(str::to_owned),
    }
}
