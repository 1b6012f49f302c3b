//! Tokens to a syntax tree, by precedence climbing.
//!
//! From the loosest to the tightest: `if ... else`, `or`, `and`, `not`, comparisons and `in`, `+ -`, `* /`, prefix `-`, `^`
//! (groups to the right; `-x ^ 2` is `-(x ^ 2)`), then `.name`, `[...]` and calls.

use super::ast::{BinaryOp, Expr, ExprKind, Name, Span, Statement, SyntaxError, UnaryOp, UpdateOp};
use super::token::{Token, tokenize};

/// The longest text that is taken for a formula, in bytes.
pub const MAX_LENGTH: usize = 10_000;
/// How deep brackets, prefix operators, powers and conditionals may nest.
pub const MAX_NESTING: usize = 64;

/// Words with a meaning of their own, which no parameter, metric, actor, place, set or loop variable may be called.
pub const RESERVED: [&str; 26] = [
    "and",
    "blamed",
    "candidate",
    "claimant",
    "else",
    "event",
    "false",
    "for",
    "host",
    "if",
    "in",
    "inf",
    "nobody",
    "not",
    "nowhere",
    "or",
    "perpetrator",
    "place",
    "rung",
    "rungs",
    "self",
    "sponsor",
    "target",
    "time",
    "true",
    "world",
];

/// Words that end an operand and never start one.
const KEYWORDS: [&str; 7] = ["and", "else", "for", "if", "in", "not", "or"];

/// Reads an expression.
///
/// # Errors
/// The first place where the text stops being a formula, when it is longer than [`MAX_LENGTH`] or nests deeper than
/// [`MAX_NESTING`].
pub fn parse_formula(text: &str) -> Result<Expr, SyntaxError> {
    let mut parser = Parser::new(text)?;
    let expr = parser.conditional()?;
    parser.end()?;
    Ok(expr)
}

/// Reads `stock op formula [if condition]`, with `op` one of `=`, `+=`, `-=`, `*=`.
///
/// An `if` with an `else` belongs to the formula, one without is the statement's condition.
///
/// # Errors
/// As [`parse_formula`].
pub fn parse_statement(text: &str) -> Result<Statement, SyntaxError> {
    let mut parser = Parser::new(text)?;
    let place = parser.postfix()?;
    let (token, span) = parser.next();
    let op = match token {
        Token::Symbol("=") => UpdateOp::Set,
        Token::Symbol("+=") => UpdateOp::Add,
        Token::Symbol("-=") => UpdateOp::Subtract,
        Token::Symbol("*=") => UpdateOp::Multiply,
        _ => {
            return Err(SyntaxError {
                span,
                message: format!("expected `=`, `+=`, `-=` or `*=`, found {}", shown(token)),
                help: (token == Token::Symbol("=="))
                    .then(|| "to give a stock a value, write `=`".to_owned()),
            });
        }
    };
    parser.statement = true;
    let value = parser.conditional()?;
    let condition = parser.trailing.take();
    parser.end()?;
    Ok(Statement {
        place,
        op,
        value,
        condition,
    })
}

struct Parser<'t> {
    tokens: Vec<(Token<'t>, Span)>,
    at: usize,
    depth: usize,
    /// Whether an `if` without an `else` may end the text here.
    statement: bool,
    trailing: Option<Expr>,
}

type Parsed = Result<Expr, SyntaxError>;

impl<'t> Parser<'t> {
    fn new(text: &'t str) -> Result<Self, SyntaxError> {
        if text.len() > MAX_LENGTH {
            return Err(SyntaxError {
                span: 0..0,
                message: format!(
                    "this formula is {} bytes long; the limit is {MAX_LENGTH}",
                    text.len()
                ),
                help: None,
            });
        }
        Ok(Self {
            tokens: tokenize(text)?,
            at: 0,
            depth: 0,
            statement: false,
            trailing: None,
        })
    }

    fn peek(&self) -> Token<'t> {
        self.tokens[self.at].0
    }

    fn span(&self) -> Span {
        self.tokens[self.at].1.clone()
    }

    /// The current token; [`Token::End`] is never passed.
    fn next(&mut self) -> (Token<'t>, Span) {
        let (token, span) = self.tokens[self.at].clone();
        if token != Token::End {
            self.at += 1;
        }
        (token, span)
    }

    fn take_symbol(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Token::Symbol(s) if s == symbol);
        self.at += usize::from(found);
        found
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.peek() == Token::Word(word);
        self.at += usize::from(found);
        found
    }

    /// Takes a symbol that must come next; returns where it ends.
    fn expect_symbol(&mut self, symbol: &str) -> Result<usize, SyntaxError> {
        let end = self.span().end;
        if self.take_symbol(symbol) {
            return Ok(end);
        }
        Err(self.unexpected(&format!("`{symbol}`")))
    }

    fn unexpected(&self, expected: &str) -> SyntaxError {
        let token = self.peek();
        let help = match token {
            Token::Symbol("=") => Some("to compare, write `==`"),
            Token::Symbol("%") => Some("write percentages as fractions, such as 0.05"),
            Token::Symbol("+=" | "-=" | "*=") => {
                Some("a formula only computes a value; stocks change in `effects`")
            }
            _ => None,
        };
        SyntaxError {
            span: self.span(),
            message: format!("expected {expected}, found {}", shown(token)),
            help: help.map(str::to_owned),
        }
    }

    fn end(&self) -> Result<(), SyntaxError> {
        match self.peek() {
            Token::End => Ok(()),
            _ => Err(self.unexpected("an operator or the end of the formula")),
        }
    }

    /// Runs `parse` one level deeper. Every recursion of the grammar goes through here, which is what bounds the call stack.
    fn deeper(&mut self, parse: impl FnOnce(&mut Self) -> Parsed) -> Parsed {
        if self.depth >= MAX_NESTING {
            return Err(SyntaxError {
                span: self.span(),
                message: format!("this formula nests more than {MAX_NESTING} levels deep"),
                help: Some("split it into parameters, stocks or metrics".to_owned()),
            });
        }
        self.depth += 1;
        let result = parse(self);
        self.depth -= 1;
        result
    }

    /// Parses inside brackets, where no statement can end.
    fn bracketed<T>(
        &mut self,
        parse: impl FnOnce(&mut Self) -> Result<T, SyntaxError>,
    ) -> Result<T, SyntaxError> {
        let outer = std::mem::replace(&mut self.statement, false);
        let result = parse(self);
        self.statement = outer;
        result
    }

    fn conditional(&mut self) -> Parsed {
        let yes = self.binary(0)?;
        if !self.take_word("if") {
            return Ok(yes);
        }
        let condition = self.binary(0)?;
        if !self.take_word("else") {
            if self.statement && self.peek() == Token::End {
                self.trailing = Some(condition);
                return Ok(yes);
            }
            let mut error = self.unexpected("`else`");
            error.help.get_or_insert_with(|| {
                "write `A if condition else B`: a formula needs a value in both cases".to_owned()
            });
            return Err(error);
        }
        let no = self.deeper(Self::conditional)?;
        let span = yes.span.start..no.span.end;
        Ok(Expr {
            kind: ExprKind::Conditional {
                condition: Box::new(condition),
                yes: Box::new(yes),
                no: Box::new(no),
            },
            span,
        })
    }

    /// Left-grouping infix operators; `level` 0 is `or`, 1 `and`, 2 comparisons (after `not`), 3 `+ -`, 4 `* /`.
    fn binary(&mut self, level: u8) -> Parsed {
        if level == 2 {
            return self.negation();
        }
        if level > 4 {
            return self.prefix();
        }
        let first = self.binary(level + 1)?;
        let mut rest = Vec::new();
        while let Some(op) = infix(self.peek(), level) {
            self.at += 1;
            rest.push((op, self.binary(level + 1)?));
        }
        Ok(chain(first, rest))
    }

    fn negation(&mut self) -> Parsed {
        let start = self.span().start;
        if self.take_word("not") {
            let operand = self.deeper(Self::negation)?;
            return Ok(unary(UnaryOp::Not, start, operand));
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Parsed {
        let first = self.binary(3)?;
        let next_is_in =
            |p: &Self| p.tokens.get(p.at + 1).map(|(token, _)| *token) == Some(Token::Word("in"));
        let result = if let Some(op) = infix(self.peek(), 2) {
            self.at += 1;
            let second = self.binary(3)?;
            chain(first, vec![(op, second)])
        } else if self.peek() == Token::Word("in")
            || (self.peek() == Token::Word("not") && next_is_in(self))
        {
            let negated = self.take_word("not");
            self.at += 1;
            let set = self.postfix()?;
            Expr {
                span: first.span.start..set.span.end,
                kind: ExprKind::In {
                    item: Box::new(first),
                    set: Box::new(set),
                    negated,
                },
            }
        } else {
            return Ok(first);
        };
        if infix(self.peek(), 2).is_some() || self.peek() == Token::Word("in") {
            return Err(SyntaxError {
                span: self.span(),
                message: "comparisons cannot be chained".to_owned(),
                help: Some("write `a < b and b < c`".to_owned()),
            });
        }
        Ok(result)
    }

    fn prefix(&mut self) -> Parsed {
        let start = self.span().start;
        if self.take_symbol("-") {
            let operand = self.deeper(Self::prefix)?;
            return Ok(unary(UnaryOp::Negate, start, operand));
        }
        let base = self.postfix()?;
        if !self.take_symbol("^") {
            return Ok(base);
        }
        let exponent = self.deeper(Self::prefix)?;
        Ok(chain(base, vec![(BinaryOp::Power, exponent)]))
    }

    fn postfix(&mut self) -> Parsed {
        let operand = self.operand()?;
        self.suffixes(operand)
    }

    /// `.name` and `[...]` after an operand. Each makes the tree one level deeper, so each recursion counts.
    fn suffixes(&mut self, base: Expr) -> Parsed {
        let start = base.span.start;
        let (kind, end) = if self.take_symbol(".") {
            let name = self.name("a name")?;
            let end = name.span.end;
            let base = Box::new(base);
            (ExprKind::Attribute { base, name }, end)
        } else if self.take_symbol("[") {
            let (indices, end) = self.bracketed(|p| p.list("]"))?;
            let base = Box::new(base);
            (ExprKind::Index { base, indices }, end)
        } else {
            return Ok(base);
        };
        let span = start..end;
        self.deeper(|p| p.suffixes(Expr { kind, span }))
    }

    fn name(&mut self, expected: &str) -> Result<Name, SyntaxError> {
        match self.peek() {
            Token::Word(word) if !KEYWORDS.contains(&word) => {
                let (_, span) = self.next();
                Ok(Name {
                    text: word.to_owned(),
                    span,
                })
            }
            _ => Err(self.unexpected(expected)),
        }
    }

    /// One or more expressions between commas, and the closing bracket; returns where that ends.
    fn list(&mut self, close: &str) -> Result<(Vec<Expr>, usize), SyntaxError> {
        let mut items = vec![self.deeper(Self::conditional)?];
        while self.take_symbol(",") {
            items.push(self.deeper(Self::conditional)?);
        }
        Ok((items, self.expect_symbol(close)?))
    }

    fn operand(&mut self) -> Parsed {
        let span = self.span();
        let kind = match self.peek() {
            Token::Number(value) => ExprKind::Number(value),
            Token::Symbol("(") => {
                self.at += 1;
                let mut inner = self.bracketed(|p| p.deeper(Self::conditional))?;
                let end = self.expect_symbol(")")?;
                inner.span = span.start..end;
                return Ok(inner);
            }
            Token::Word("inf") => ExprKind::Number(f64::INFINITY),
            Token::Word("true") => ExprKind::Truth(true),
            Token::Word("false") => ExprKind::Truth(false),
            Token::Word("nobody") => ExprKind::Nobody,
            Token::Word("nowhere") => ExprKind::Nowhere,
            Token::Word(word) if !KEYWORDS.contains(&word) => {
                self.at += 1;
                if self.take_symbol("(") {
                    let function = Name {
                        text: word.to_owned(),
                        span,
                    };
                    return self.bracketed(|p| p.call(function));
                }
                return Ok(Expr {
                    kind: ExprKind::Name(word.to_owned()),
                    span,
                });
            }
            _ => return Err(self.unexpected("a value")),
        };
        self.at += 1;
        Ok(Expr { kind, span })
    }

    /// What follows `function(`.
    fn call(&mut self, function: Name) -> Parsed {
        let start = function.span.start;
        let body = self.deeper(Self::conditional)?;
        if !self.take_word("for") {
            let mut arguments = vec![body];
            let end = if self.take_symbol(",") {
                let (more, end) = self.list(")")?;
                arguments.extend(more);
                end
            } else {
                self.expect_symbol(")")?
            };
            return Ok(Expr {
                kind: ExprKind::Call {
                    function,
                    arguments,
                },
                span: start..end,
            });
        }
        let variable = self.name("a variable")?;
        if !self.take_word("in") {
            return Err(self.unexpected("`in`"));
        }
        let set = self.deeper(Self::postfix)?;
        let condition = if self.take_word("if") {
            Some(Box::new(self.deeper(|p| p.binary(0))?))
        } else {
            None
        };
        let end = self.expect_symbol(")")?;
        Ok(Expr {
            kind: ExprKind::Aggregate {
                function,
                body: Box::new(body),
                variable,
                set: Box::new(set),
                condition,
            },
            span: start..end,
        })
    }
}

fn infix(token: Token<'_>, level: u8) -> Option<BinaryOp> {
    Some(match (level, token) {
        (0, Token::Word("or")) => BinaryOp::Or,
        (1, Token::Word("and")) => BinaryOp::And,
        (2, Token::Symbol("<")) => BinaryOp::Less,
        (2, Token::Symbol("<=")) => BinaryOp::LessEqual,
        (2, Token::Symbol(">")) => BinaryOp::Greater,
        (2, Token::Symbol(">=")) => BinaryOp::GreaterEqual,
        (2, Token::Symbol("==")) => BinaryOp::Equal,
        (2, Token::Symbol("!=")) => BinaryOp::NotEqual,
        (3, Token::Symbol("+")) => BinaryOp::Add,
        (3, Token::Symbol("-")) => BinaryOp::Subtract,
        (4, Token::Symbol("*")) => BinaryOp::Multiply,
        (4, Token::Symbol("/")) => BinaryOp::Divide,
        _ => return None,
    })
}

fn chain(first: Expr, rest: Vec<(BinaryOp, Expr)>) -> Expr {
    let Some((_, last)) = rest.last() else {
        return first;
    };
    Expr {
        span: first.span.start..last.span.end,
        kind: ExprKind::Chain {
            first: Box::new(first),
            rest,
        },
    }
}

fn unary(op: UnaryOp, start: usize, operand: Expr) -> Expr {
    Expr {
        span: start..operand.span.end,
        kind: ExprKind::Unary {
            op,
            operand: Box::new(operand),
        },
    }
}

fn shown(token: Token<'_>) -> String {
    match token {
        Token::Number(value) => format!("the number {value}"),
        Token::Word(word) => format!("`{word}`"),
        Token::Symbol(symbol) => format!("`{symbol}`"),
        Token::End => "the end".to_owned(),
    }
}
