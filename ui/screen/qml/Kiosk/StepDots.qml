pragma ComponentBehavior: Bound

import QtQuick
import Kiosk.ViewModels

// Where on the way we are, and what this step is called.
Column {
    id: root

    required property int step
    required property int steps
    required property string stepName

    spacing: Theme.gap * 0.5
    visible: step > 0

    Row {
        anchors.right: parent.right
        spacing: Theme.gap * 0.6

        Repeater {
            model: root.steps

            Rectangle {
                required property int index
                readonly property bool now: index + 1 === root.step
                readonly property bool past: index + 1 < root.step

                border.color: now || past ? Theme.accent : Theme.muted
                border.width: Theme.hair
                color: now || past ? Theme.accent : "transparent"
                height: Theme.mm * 3
                radius: height / 2
                width: now ? height * 3 : height
            }
        }
    }

    Words {
        anchors.right: parent.right
        color: Theme.muted
        text: root.stepName
        wrapMode: Text.NoWrap
    }
}
