package fault

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestCodeAndRemedyComeFromTheOutermostErrorThatHasThem(t *testing.T) {
	inner := New(CodeEnvironment, "docker is not running", "start it")
	outer := Wrap(inner, CodeBuild, "the backend image did not build", "")

	assert.Equal(t, CodeBuild, Code(fmt.Errorf("deploy: %w", outer)))
	assert.Equal(t, "start it", Remedy(outer), "the remedy of the cause stands where the outer error has none")
	assert.Equal(t, "the backend image did not build: docker is not running", outer.Error())
}

func TestCode(t *testing.T) {
	assert.Equal(t, 0, Code(nil))
	assert.Equal(t, CodeFailed, Code(errors.New("x")))
	assert.Equal(t, CodeInterrupted, Code(Wrap(context.Canceled, CodeBuild, "stopped", "")))
	assert.NoError(t, Wrap(nil, CodeBuild, "nothing", ""))
}
