"""What Lambda gives and takes away: sandboxes, deadlines, invocations that come later."""
