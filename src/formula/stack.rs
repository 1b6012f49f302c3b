//! The small stack on which programs are evaluated and bounded.

/// The deepest stack that a program may need.
pub const MAX_STACK: usize = 32;

/// The compiler has proved that programs stay within the height, which is why the remainder below only spares a bounds check.
pub(super) struct Stack<T> {
    values: [T; MAX_STACK],
    height: usize,
}

impl<T: Copy> Stack<T> {
    /// An empty stack; `filler` is never read.
    #[inline]
    pub fn new(filler: T) -> Self {
        Self {
            values: [filler; MAX_STACK],
            height: 0,
        }
    }

    #[inline]
    pub fn push(&mut self, value: T) {
        debug_assert!(self.height < MAX_STACK);
        self.values[self.height % MAX_STACK] = value;
        self.height += 1;
    }

    #[inline]
    pub fn pop(&mut self) -> T {
        debug_assert!(self.height > 0);
        self.height = self.height.wrapping_sub(1);
        self.values[self.height % MAX_STACK]
    }
}
