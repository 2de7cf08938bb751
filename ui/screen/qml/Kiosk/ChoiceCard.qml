import QtQuick
import Kiosk.ViewModels

// One of two equal answers: same size, same colour, same weight.
Touch {
    id: root

    property string path

    implicitHeight: column.implicitHeight + Theme.gap * 3

    Rectangle {
        anchors.fill: parent
        border.color: Theme.accent
        border.width: Theme.stroke
        color: root.pressed ? Theme.accentSoft : Theme.surface
        radius: Theme.radius
    }

    Column {
        id: column

        anchors.left: parent.left
        anchors.leftMargin: Theme.gap
        anchors.right: parent.right
        anchors.rightMargin: Theme.gap
        anchors.verticalCenter: parent.verticalCenter
        spacing: Theme.gap * 0.5

        Glyph {
            anchors.horizontalCenter: parent.horizontalCenter
            path: root.path
            size: Theme.lead * 2
        }

        Words {
            color: Theme.accent
            font.pixelSize: Theme.lead
            horizontalAlignment: Text.AlignHCenter
            strong: true
            silent: true
            text: root.label
            width: parent.width
        }

        Words {
            color: Theme.muted
            horizontalAlignment: Text.AlignHCenter
            silent: true
            text: root.hint
            width: parent.width
        }
    }
}
