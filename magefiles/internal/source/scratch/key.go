package scratch

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"runtime"
)

// arch is the architecture that everything is built for: this machine's, since the node runs on it.
const arch = runtime.GOARCH

// keyLength is how many hexadecimal digits a key has: enough to tell versions apart and short enough to read.
const keyLength = 12

// hash gives the key of something made from the given inputs.
func hash(inputs ...any) string {
	h := sha256.New()
	for _, in := range inputs {
		s := fmt.Sprint(in)
		_, _ = fmt.Fprintf(h, "%d:%s\n", len(s), s) // the length keeps neighbours from running together
	}
	return hex.EncodeToString(h.Sum(nil))[:keyLength]
}
