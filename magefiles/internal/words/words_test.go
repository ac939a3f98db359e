package words

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestNoLetterIsCutInHalf(t *testing.T) {
	assert.Equal(t, "größe", Short("größe", 5))
	assert.Equal(t, "grö…", Short("größe", 3))
	assert.Equal(t, "größe", End("größe", 5))
	assert.Equal(t, "…öße", End("größe", 3))
	assert.Equal(t, "größe", Ends("größe", 5))
	assert.Equal(t, "gr…ße", Ends("größe", 4))
}

func TestOneLine(t *testing.T) {
	assert.Equal(t, "exit status 1: no such file", OneLine(" exit status 1:\n\tno such  file\n"))
}
