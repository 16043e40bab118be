"""Parser: tokens to a tree, by recursive descent; one method per line of the grammar in ``docs/expressions.md``.

Flow: tokens -> [parse] -> tree and faults -> check
Why: after a fault it goes on behind the next ``and``, ``or``, comma or bracket, so that one reading finds them all.
Never: nests deeper than ``DEPTH_MAX`` or builds more than ``NODES_MAX`` nodes, whatever the text.
"""

from typing import Final, NoReturn

from alerting.core.expression.fault import Fault, quote
from alerting.core.expression.lexer import Shape, Token, tokenize
from alerting.core.expression.tree import (
    Arithmetic,
    Call,
    Comparison,
    Held,
    Hole,
    Junction,
    Negative,
    Node,
    Not,
    Number,
    TagName,
    Text,
    Truth,
    children,
)

DEPTH_MAX: Final = 32  # Brackets, functions, "not" and minus inside one another; nobody reads deeper ones.
NODES_MAX: Final = 256
HEIGHT_MAX: Final = 96  # Of the tree: a sum of so many terms is a mistake, and every later step may recurse.
COMPARISONS: Final = (">", ">=", "<", "<=", "==", "!=")


class _LostError(Exception):
    """The reader lost the thread; the fault is noted."""


class _TooMuchError(Exception):
    """The expression is too deep or too large; reading ends."""


def parse(text: str) -> tuple[Node, list[Fault]]:
    """Read a text.

    Returns:
        The tree, with holes where something could not be read, and all faults; the tree is whole when there are none.
    """
    tokens, faults = tokenize(text)
    if len(tokens) == 1:
        if not faults:
            faults.append(Fault(1, "the expression is empty.", "Write a condition, e.g. TK-101.level > 4.5."))
        return Hole(0, len(text)), faults
    return _Reader(tokens, faults).read()


class _Reader:
    def __init__(self, tokens: list[Token], faults: list[Fault]) -> None:
        self.tokens = tokens
        self.faults = faults
        self.place = 0
        self.depth = 0
        self.nodes = 0
        self.made: list[Node] = []
        self.heights: dict[int, int] = {}  # by id(); ``made`` keeps the nodes alive

    # ---- the grammar

    def read(self) -> tuple[Node, list[Fault]]:
        tree: Node = Hole(0, self.tokens[-1].end)
        try:
            tree = self._expression()
            while self.here.shape is not Shape.END:
                self._note_unexpected()
                self.place += 1
                self._skip()
                if self._takes_word("and") or self._takes_word("or"):
                    self._expression()
        except _TooMuchError:  # Noted where it happened.
            pass
        return tree, self.faults

    def _expression(self) -> Node:
        """Read ``expression = disjunction, [ "for", span ]``."""
        node = self._disjunction()
        if not self._takes_word("for"):
            return node
        span = self._span()
        held = self._made(Held(node.start, span.end, node, span))
        here = self.here
        if here.shape is Shape.WORD and here.text in ("and", "or", "for"):
            self.faults.append(
                Fault(
                    here.start + 1,
                    f'"for" ends what it holds, and {quote(here.text)} follows.',
                    "Put brackets around what must hold: (a > 1 for 10 s) and b > 2.",
                )
            )
            self.place += 1
            self._expression()
        return held

    def _disjunction(self) -> Node:
        """Read ``disjunction = conjunction, { "or", conjunction }``."""
        operands = [self._conjunction()]
        while self._takes_word("or"):
            operands.append(self._conjunction())
        return self._junction("or", operands)

    def _conjunction(self) -> Node:
        """Read ``conjunction = negation, { "and", negation }``."""
        operands = [self._negation()]
        while self._takes_word("and"):
            operands.append(self._negation())
        return self._junction("and", operands)

    def _junction(self, word: str, operands: list[Node]) -> Node:
        if len(operands) == 1:
            return operands[0]
        return self._made(Junction(operands[0].start, operands[-1].end, word, tuple(operands)))

    def _negation(self) -> Node:
        """Read ``negation = { "not" }, comparison``."""
        start, depth = self.here.start, self.depth
        try:
            if self._takes_word("not"):
                self._go_deeper()
                operand = self._negation()
                self.depth -= 1
                return self._made(Not(start, operand.end, operand))
            return self._comparison()
        except _LostError:
            self.depth = depth
            self._skip()
            return Hole(start, max(start, self.tokens[self.place - 1].end if self.place else start))

    def _comparison(self) -> Node:
        """Read ``comparison = sum, [ ( ">" | ">=" | "<" | "<=" | "==" | "!=" ), sum ]``."""
        left = self._sum()
        sign = self.here
        if sign.shape is not Shape.SIGN or sign.text not in COMPARISONS:
            return left
        self.place += 1
        right = self._sum()
        again = self.here
        if again.shape is Shape.SIGN and again.text in COMPARISONS:
            self._lose(again, "a comparison has two sides.", 'Join two with "and": 1 < x and x < 5.')
        return self._made(Comparison(left.start, right.end, sign.text, left, right))

    def _sum(self) -> Node:
        """Read ``sum = product, { ( "+" | "-" ), product }``."""
        node = self._product()
        while (sign := self.here).shape is Shape.SIGN and sign.text in ("+", "-"):
            self.place += 1
            right = self._product()
            node = self._made(Arithmetic(node.start, right.end, sign.text, node, right))
        return node

    def _product(self) -> Node:
        """Read ``product = factor, { ( "*" | "/" ), factor }``."""
        node = self._factor()
        while (sign := self.here).shape is Shape.SIGN and sign.text in ("*", "/"):
            self.place += 1
            right = self._factor()
            node = self._made(Arithmetic(node.start, right.end, sign.text, node, right))
        return node

    def _factor(self) -> Node:  # noqa: PLR0911 - one line for each alternative
        """Read ``factor = [ "-" ], ( number | truth | text | call | tag | "(", expression, ")" )``."""
        token = self.here
        if self._takes_sign("-"):
            self._go_deeper()
            operand = self._factor()
            self.depth -= 1
            return self._made(Negative(token.start, operand.end, operand))
        if self._takes_sign("("):
            self._go_deeper()
            node = self._expression()
            self._close(token)
            self.depth -= 1
            return node
        self.place += token.shape is not Shape.END
        match token.shape:
            case Shape.NUMBER:
                return self._number(token)
            case Shape.TEXT:
                return self._made(Text(token.start, token.end, token.text))
            case Shape.QUOTED:
                return self._made(TagName(token.start, token.end, token.text))
            case Shape.WORD if token.text in ("true", "false"):
                return self._made(Truth(token.start, token.end, token.text == "true"))
            case Shape.NAME if self._takes_sign("("):
                return self._call(token)
            case Shape.NAME:
                return self._made(TagName(token.start, token.end, token.text))
            case _:
                self.place -= token.shape is not Shape.END
                return self._lose_operand(token)

    def _number(self, token: Token) -> Number:
        unit, end = "", token.end
        if self.here.shape is Shape.UNIT:
            unit, end = self.here.text, self.here.end
            self.place += 1
        number = Number(token.start, end, float(token.text), unit)
        self._made(number)
        return number

    def _span(self) -> Node:
        """Read ``span = number, unit of time``."""
        token = self.here
        if token.shape is Shape.NUMBER:
            self.place += 1
            return self._number(token)
        self.faults.append(Fault(token.start + 1, '"for" needs a time.', "Write it with s, min or h: for 10 s."))
        self._skip()
        return Hole(token.start, token.end)

    def _call(self, name: Token) -> Node:
        """Read ``call = name, "(", [ expression, { ",", expression } ], ")"``."""
        opened = self.tokens[self.place - 1]
        self._go_deeper()
        arguments: list[Node] = []
        if not (self.here.shape is Shape.SIGN and self.here.text == ")"):
            arguments.append(self._expression())
            while self._takes_sign(","):
                arguments.append(self._expression())
        end = self._close(opened)
        self.depth -= 1
        return self._made(Call(name.start, end, name.text, tuple(arguments)))

    # ---- tokens

    @property
    def here(self) -> Token:
        return self.tokens[self.place]

    def _takes_word(self, word: str) -> bool:
        return self._takes(Shape.WORD, word)

    def _takes_sign(self, sign: str) -> bool:
        return self._takes(Shape.SIGN, sign)

    def _takes(self, shape: Shape, text: str) -> bool:
        is_it = self.here.shape is shape and self.here.text == text
        self.place += is_it
        return is_it

    def _close(self, opened: Token) -> int:
        """Take the closing bracket; give the place behind it."""
        token = self.here
        if self._takes_sign(")"):
            return token.end
        if token.shape is Shape.END:
            self._lose(opened, "a bracket has no partner.", 'Close it with ")".')
        self._note_unexpected()
        raise _LostError

    # ---- faults and limits

    def _made(self, node: Node) -> Node:
        self.nodes += 1
        self.made.append(node)
        height = self.heights[id(node)] = 1 + max((self.heights.get(id(part), 0) for part in children(node)), default=0)
        if self.nodes > NODES_MAX:
            what = f"the expression has more than {NODES_MAX} numbers, tags, signs and functions."
        elif height > HEIGHT_MAX:
            what = f"the expression is a chain of more than {HEIGHT_MAX} steps."
        else:
            return node
        self.faults.append(Fault(node.start + 1, what, "Split it into several rules."))
        raise _TooMuchError

    def _go_deeper(self) -> None:
        self.depth += 1
        if self.depth > DEPTH_MAX:
            self.faults.append(
                Fault(
                    self.here.start + 1,
                    f"the expression nests deeper than {DEPTH_MAX}.",
                    "Remove brackets, or split it into several rules.",
                )
            )
            raise _TooMuchError

    def _lose(self, token: Token, sentence: str, remedy: str) -> NoReturn:
        self.faults.append(Fault(token.start + 1, sentence, remedy))
        raise _LostError

    def _lose_operand(self, token: Token) -> NoReturn:
        if token.shape is Shape.END:
            self._lose(token, "the expression ends where a value is missing.", "Add a tag, a number or a condition.")
        self._lose(
            token, f"a value is missing before {quote(token.text)}.", "Write a tag, a number or a condition there."
        )

    def _note_unexpected(self) -> None:
        token = self.here
        before = self.tokens[self.place - 1]
        if token.shape is Shape.SIGN and token.text == ")":
            fault = Fault(token.start + 1, '")" has no partner.', "Remove it, or open it before.")
        elif token.shape is Shape.SIGN and token.text == ",":
            fault = Fault(token.start + 1, "a comma stands outside a function.", "Remove it.")
        else:
            fault = Fault(
                token.start + 1,
                f"a sign is missing between {quote(before.text)} and {quote(token.text)}.",
                "Write and, or, a comparison or + - * / between the two.",
            )
        self.faults.append(fault)

    def _skip(self) -> None:
        """Pass by what cannot be read: up to the next and, or, for, comma or closing bracket outside brackets."""
        open_brackets = 0
        while (token := self.here).shape is not Shape.END:
            if token.shape is Shape.SIGN:
                if token.text in (")", ",") and open_brackets == 0:
                    return
                open_brackets += (token.text == "(") - (token.text == ")")
            elif token.shape is Shape.WORD and token.text in ("and", "or", "for") and open_brackets == 0:
                return
            self.place += 1
