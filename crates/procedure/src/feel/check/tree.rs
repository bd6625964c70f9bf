//! The shape of an expression's tree, seen without recursion, and what can be read from single nodes.

use dsntk_feel_parser::AstNode;

use super::Type;

/// Whether the tree is deeper than `limit`, found without recursion.
pub(in crate::feel) fn depth_over(root: &AstNode, limit: usize) -> bool {
    let mut stack = vec![(root, 1_usize)];
    while let Some((node, depth)) = stack.pop() {
        if depth > limit {
            return true;
        }
        for child in children(node) {
            stack.push((child, depth + 1));
        }
    }
    false
}

fn children(node: &AstNode) -> Vec<&AstNode> {
    use AstNode as A;
    match node {
        A::Add(a, b)
        | A::And(a, b)
        | A::ContextEntry(a, b)
        | A::ContextTypeEntry(a, b)
        | A::Div(a, b)
        | A::Eq(a, b)
        | A::Every(a, b)
        | A::Exp(a, b)
        | A::Filter(a, b)
        | A::For(a, b)
        | A::FormalParameter(a, b)
        | A::FunctionDefinition(a, b)
        | A::FunctionInvocation(a, b)
        | A::FunctionType(a, b)
        | A::Ge(a, b)
        | A::Gt(a, b)
        | A::In(a, b)
        | A::InstanceOf(a, b)
        | A::IterationContextSingle(a, b)
        | A::Le(a, b)
        | A::Lt(a, b)
        | A::Mul(a, b)
        | A::NamedParameter(a, b)
        | A::Nq(a, b)
        | A::Or(a, b)
        | A::Out(a, b)
        | A::Path(a, b)
        | A::QuantifiedContext(a, b)
        | A::Range(a, b)
        | A::Some(a, b)
        | A::Sub(a, b) => vec![a, b],
        A::Between(a, b, c) | A::If(a, b, c) | A::IterationContextInterval(a, b, c) => vec![a, b, c],
        A::CommaList(v)
        | A::Context(v)
        | A::ContextType(v)
        | A::ExpressionList(v)
        | A::FormalParameters(v)
        | A::IterationContexts(v)
        | A::List(v)
        | A::NamedParameters(v)
        | A::NegatedList(v)
        | A::ParameterTypes(v)
        | A::PositionalParameters(v)
        | A::QualifiedName(v)
        | A::QuantifiedContexts(v) => v.iter().collect(),
        A::EvaluatedExpression(a)
        | A::FunctionBody(a, _)
        | A::IntervalEnd(a, _)
        | A::IntervalStart(a, _)
        | A::ListType(a)
        | A::Neg(a)
        | A::RangeType(a)
        | A::Satisfies(a)
        | A::UnaryGe(a)
        | A::UnaryGt(a)
        | A::UnaryLe(a)
        | A::UnaryLt(a)
        | A::UnaryEq(a)
        | A::UnaryNe(a) => vec![a],
        A::At(_)
        | A::Boolean(_)
        | A::ContextEntryKey(_)
        | A::ContextTypeEntryKey(_)
        | A::FeelType(_)
        | A::Irrelevant
        | A::Name(_)
        | A::Null
        | A::Numeric(..)
        | A::ParameterName(_)
        | A::QualifiedNameSegment(_)
        | A::String(_) => vec![],
    }
}

pub(super) fn dotted(node: &AstNode) -> Option<String> {
    match node {
        AstNode::Name(name) => Some(name.as_str().to_owned()),
        AstNode::Path(base, member) => match &**member {
            AstNode::Name(member) => Some(format!("{}.{member}", dotted(base)?)),
            _ => None,
        },
        _ => None,
    }
}

pub(super) fn whole(node: &AstNode) -> Option<i64> {
    match node {
        AstNode::Numeric(before, after, _, exponent) if after.is_empty() && exponent.is_empty() => before.parse().ok(),
        AstNode::Neg(inner) => whole(inner).map(i64::wrapping_neg),
        _ => None,
    }
}

/// The type of an `@"…"` literal or of `duration("…")`.
pub(super) fn at_type(text: &str) -> Type {
    let text = text.trim_start_matches('-');
    if let Some(rest) = text.strip_prefix('P') {
        let day_part = rest.split('T').next().unwrap_or(rest);
        return if day_part.contains(['Y', 'M']) {
            Type::Months
        } else {
            Type::Days
        };
    }
    if text.contains('T') {
        Type::DateTime
    } else if text.contains(':') {
        Type::Time
    } else {
        Type::Date
    }
}
