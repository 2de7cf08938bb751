import QtQuick
import QtQuick.Shapes
import Kiosk.ViewModels

Page {
    id: root

    readonly property Item mirrorPlace: place
    required property CaptureViewModel viewModel

    heading: viewModel.heading
    lead: viewModel.lead
    pictureHeight: Theme.panelHeight * (Theme.elder ? 0.36 : 0.45)

    picture: Item {
        anchors.horizontalCenter: parent ? parent.horizontalCenter : undefined
        height: parent ? parent.height : 0
        width: height * 0.86

        Rectangle {
            anchors.fill: parent
            border.color: Theme.hairline
            border.width: Theme.hair
            color: Theme.sand
            radius: Theme.radius
        }

        Item {
            id: place

            anchors.fill: parent
        }

        Shape {
            id: oval

            property real rx: parent.height * 0.25
            property real ry: parent.height * 0.34

            anchors.fill: parent

            ShapePath {
                fillColor: "transparent"
                strokeColor: Theme.scrim
                strokeWidth: Theme.stroke * 3.4

                PathSvg {
                    path: "M%1 %2 A%3 %4 0 1 1 %5 %2 Z".arg(oval.width / 2).arg(oval.height / 2 - oval.ry).arg(oval.rx).arg(oval.ry).arg(oval.width / 2 - 0.01)
                }
            }

            ShapePath {
                fillColor: "transparent"
                strokeColor: Theme.veilInk
                strokeWidth: Theme.stroke * 1.8

                PathSvg {
                    path: "M%1 %2 A%3 %4 0 1 1 %5 %2 Z".arg(oval.width / 2).arg(oval.height / 2 - oval.ry).arg(oval.rx).arg(oval.ry).arg(oval.width / 2 - 0.01)
                }
            }
        }
    }

    Column {
        spacing: Theme.gap * 1.5
        width: parent.width

        Notice {
            objectName: "refusedNotice"
            prominent: true
            warning: true
            width: parent.width
            words: root.viewModel.refused
        }

        Notice {
            objectName: "hintNotice"
            path: Glyphs.face
            prominent: true
            width: parent.width
            words: root.viewModel.hint
        }

        Words {
            color: Theme.muted
            horizontalAlignment: Text.AlignHCenter
            text: root.viewModel.attempt
            width: parent.width
        }
    }

    BigButton {
        anchors.bottom: parent.bottom
        label: root.viewModel.staff
        objectName: "otherWayButton"
        width: parent.width

        onTapped: root.viewModel.withdraw()
    }
}
