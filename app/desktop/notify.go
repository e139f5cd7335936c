package desktop

// Answers are what happens when the person answers a notification. Both may be
// called from any goroutine.
type Answers struct {
	Open  func(tag string)
	Reply func(tag, text string)
}
