import QtQuick
import Kiosk.ViewModels

// Who waits at the desk and why, as the clerk needs it at a glance.
Rectangle {
    id: root

    required property SheetViewModel viewModel
    readonly property bool waiting: root.viewModel.reasonWords !== ""

    border.color: root.waiting ? Theme.amber : Theme.accent
    border.width: Theme.hair
    color: root.waiting ? Theme.amberSoft : Theme.accentSoft
    height: Math.max(why.implicitHeight, which.implicitHeight) + Theme.gap * 3
    radius: Theme.radius

    Column {
        id: which

        anchors.left: parent.left
        anchors.leftMargin: Theme.gap * 1.5
        anchors.top: parent.top
        anchors.topMargin: Theme.gap * 1.5
        visible: root.viewModel.number !== ""
        width: visible ? implicitWidth : 0

        Words {
            color: Theme.amber
            text: root.viewModel.numberWords
        }

        Words {
            font.letterSpacing: Theme.mm
            font.pixelSize: Theme.title
            objectName: "staffNumber"
            strong: true
            text: root.viewModel.number
        }
    }

    Column {
        id: why

        anchors.left: which.right
        anchors.leftMargin: which.visible ? Theme.gap * 3 : 0
        anchors.right: parent.right
        anchors.rightMargin: Theme.gap * 1.5
        anchors.top: parent.top
        anchors.topMargin: Theme.gap * 1.5
        spacing: Theme.gap * 0.5

        Words {
            color: Theme.amber
            text: root.viewModel.reasonWords
            visible: text !== ""
            width: parent.width
        }

        Words {
            font.pixelSize: Theme.lead
            objectName: "staffReason"
            strong: true
            text: root.viewModel.reason
            width: parent.width
        }
    }
}
